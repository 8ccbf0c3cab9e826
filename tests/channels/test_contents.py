"""What must not leave in a message stops it, and what a clinic writes every day does not."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from crm_core.channels.contents import what_does_not_belong

CARD, CODE, NUMBER = "a card number", "a card's security code", "a social security number"
PASSWORD, ONCE, KEY, PIN = "a password", "a one-time code", "a key or token", "a PIN"

STOPPED = {
    CARD: [
        "Your card 4111 1111 1111 1111 was charged",
        "4111111111111111",
        "card 5500-0000-0000-0004",
        "amex 378282246310005 ok",
        "amex 3782 822463 10005",
        "3714-496353-98431",
        "Discover 6011 1111 1111 1117.",
        "JCB 3530111333300000",
        "diners 3056 930902 5904",
        "visa 4222222222222",
        "Charged to 4012.8888.8888.1881 today",
        "card: " + "\u00a0".join("4111111111111111"),
        "use 4111\u20131111\u20131111\u20131111",
        "4 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1",
        "２２２３００３１２２００３２２２ is the card",
        "unionpay 6200000000000005",
        "(4111 1111 1111 1111)",
        "Tarjeta 4111-1111-1111-1111, gracias",
    ],
    CODE: ["exp 12/27 cvv 123", "The CVC is 0421", "CVV2: 999", "cvv code 123"],
    NUMBER: [
        "your SSN is 219-09-9999",
        "SSN 219099999 on file",
        "219 09 9999",
        "219.09.9999 is what we have",
        "social security number: 219099999",
        "su seguro social es 219-09-9999",
        "SS# 219099999",
        "we have 219\u201309\u20139999",
        "ITIN 912-78-1234",
        "Social Sec. 219 09 9999",
    ],
    PASSWORD: [
        "Your password is Summer2026!",
        "password: hunter2",
        "pw: hunter2",
        "Passcode = 4821",
        "user name mwebb and password rose22lane",
        "User name: mwebb, password: Rose-Lane",
        "your new password is now set to Lake#Side",
        "login: mwebb / Lakeside",
        "credentials are mwebb / Lake99",
        "contraseña: girasol",
        "Su contraseña es Girasol22",
        "la clave es Girasol22",
        'The password is "sunflower"',
        "the passphrase is correct-h0rse-battery",
        "Pwd=abc123",
        "password -> Tulip#4",
        "I set your portal password to be changed; for now it is: password Tulip4you",
    ],
    PIN: ["Your PIN is 4821", "PIN: 482193", "use PIN 4821", "PIN number 4821", "su NIP es 4821", "pin = 90210"],
    ONCE: [
        "Your verification code is 482913",
        "482913 is your verification code",
        "482913 is your Lakeside login code",
        "security code: 4829",
        "One-time passcode: 482913",
        "your sign-in code is 48-29-13",
        "OTP is 482913",
        "su código de verificación es 482913",
        "Your temporary code for the portal is AB12-CD34",
        "recovery codes: 8f3k-29dk",
        "2FA code: 482913",
        "482913 es su código",
    ],
    KEY: [
        "the key is sk_live_51H8example0001",
        "sk-proj-abcdefghijklmnopqrstuvwx0123",
        "AKIAIOSFODNN7EXAMPLE",
        "token ghp_abcdefghijklmnopqrstuvwxyz0123456789",
        "xoxb-123456789012-abcdefghij",
        "api key: 9f8e7d6c5b4a",
        "access token = 9f8e7d6c5b4a3210",
        "Authorization: Bearer 9f8e7d6c5b4a32109f8e",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def",
        "-----BEGIN RSA PRIVATE KEY-----",
        "https://maria:secret@portal.example/",
        "postgres://crm:pw@db.example/crm",
        "client secret is 7h3-s3cr3t-0f-th3",
    ],
}

ORDINARY = """
Call us at 212-555-0142 or +1 (646) 555-0199
Call 212 555 0142 212 555 0143
Phones: 212-555-0142, 212-555-0143, 646-555-0199
Fax it to 1-800-555-0100 ext 4821
Our number is 2125550142
+52 55 1234 5678
+4915112345678901
Order 4111 1111 1111 1112 is ready
Order 1234567890123 is ready
Tracking 00000000000000
Tracking 1Z999AA10123456784
Tracking 9400 1000 0000 0000 0000 00
Your MRN is 1234567
Your MRN is 12345678
Your MRN is 123456789
MRN 1234567890, please bring it
Your MRN is 123-45-67890, date 2026-11-23 10:00
Record 0012345 has moved
Claim 2026112300123 was filed
Claim number 881234567
Authorization 7712345678 is approved
Prior authorization number: 48291377
Referral R-1042 is ready
Conversation C-1042
Your appointment is 2026-11-23 at 10:00
Your visit is on 11/23/2026 at 10:15 AM
Thursday 26 November, 14:30-15:00
Born 03/05/1961?
03-05-1961
1961-05-03 is the date we have
Open 8:00-12:00 and 13:30-18:00
Blood pressure 120/80, pulse 72
INR 2.4 on 11/20, 2.6 on 11/23
Take 500 mg twice daily, 60 tablets, 3 refills
NDC 00093-1048-01
NDC 0093-1048-01 was sent
Rx 7781234 is ready at 4821 Main Street
CPT 99213, ICD Z00.00
NPI 1234567893
Tax id 12-3456789
Member id 881234567
Member ID: W123456789
Group number 0048213
Your balance is $1,234.56
You owe 219.09 and paid 999.00
We charged the card ending in 1111
The last four digits of your card are 0004
Please have the last four of your social security number ready
We never ask for your social security number by text
Do not send us your card number
Bring your card and your social security card
219-09-99991 is no such number
Zip code 10001-4821
Suite 4821, 219 East 9th Street
The door code of the garage is 4821
Gate code 4821, then the second floor
The building code is 4821#
Parking code: 4821
The code for the visit is Z00.00
The billing code is 99213
The area code is 212
Dress code is casual
You can reset your password on the portal; the password is chosen by you
Your password is required at the kiosk
Your password has expired, please choose a new one
We cannot see your password
The password is wrong
Forgot your password? Use the link on the sign-in page
Use a password of 8 characters or more
Never tell anyone your password or PIN
Su contraseña ha vencido
Olvidó su contraseña? Use el portal
La clave es tomar mucha agua
Choose a PIN at the kiosk
The pin in your ankle comes out in 2027
The pins come out on 11/23
Your verification code will come in another text
Do not share your security code with anyone
The security desk is at door 4
Please confirm with C
Reply 1 for Ana, 2 for Bo
Your login is your e-mail address
Sign in at https://portal.example/visit?id=48291377
https://clinic.example/p/48291377/a
Join https://video.example/j/48291377001?pwd=x
Zoom meeting 482 913 770, passcode: 482913
Video visit: meeting id 482 913 7700 passcode 482913
The key to sleep is a dark room
The key is under the mat
Please bring a token of thanks
Access to the building: use door 3
Secret ingredient: 1000 mg of vitamin C
Your session is at 10:30
Bearer of this letter may pick it up
Lot 4821A of the vaccine
Dose 1 of 2 on 11/23/2026, dose 2 on 12/14/2026
Room 4821, floor 4
Prices: {20, 30} dollars, set A = {1}
Route 66, exit 219
Ext. 0142, then 1
Case 219-0142
Serial 35-209900-176148-1
Bus 4, 11, 15, 21 and 111
1 2 3 4 5 6 7 8 9 10
Weight 81.2 kg, height 178 cm
The results of 11/20 and 11/21 are in
Please fast for 12 hours before 10:00
Your insurance: Aetna 881234567, group 48213
You can pay at https://pay.example or call 212-555-0142
CVS at 4821 Broadway, phone 212-555-0143
Your co-pay is 25 dollars
Se le atenderá el 23/11/2026 a las 10:00
Llame al 212-555-0142 para pedir cita
Su número de expediente es 12345678
El código postal es 10001
""".strip().splitlines()


def test_the_lists_are_as_long_as_promised() -> None:
    assert sum(len(texts) for texts in STOPPED.values()) >= 60
    assert len(set(ORDINARY)) == len(ORDINARY) >= 100


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in STOPPED.items() for text in texts])
def test_a_secret_is_stopped_and_named_without_being_repeated(kind: str, text: str) -> None:
    assert what_does_not_belong(text) == f"the text holds {kind}"
    assert what_does_not_belong(f"Hello Ana,\n{text}\nLakeside Clinic") == f"the text holds {kind}"


@pytest.mark.parametrize("text", ORDINARY)
def test_what_a_clinic_writes_every_day_goes(text: str) -> None:
    assert what_does_not_belong(text) is None


def test_no_shipped_template_is_stopped_but_for_its_fields() -> None:
    folder = Path(__file__).parents[2] / "data" / "playbooks" / "primary_care" / "templates"
    texts = [path.read_text("utf-8").rpartition("+++")[2] for path in sorted(folder.glob("*.md"))]
    assert len(texts) > 30
    filled = [text.replace("{{", "").replace("}}", "") for text in texts]
    assert [said for said in map(what_does_not_belong, filled) if said] == []


def test_hardly_a_text_of_real_people_is_stopped(shared_data: Path) -> None:
    """Of texts between people, and of questions to a library of medicine."""
    with (shared_data / "messages" / "sms-spam-collection.csv").open(encoding="utf-8", newline="") as file:
        texts = [row["text"] for row in csv.DictReader(file) if row["label"] == "ham"]
    with (shared_data / "messages" / "nlm-meqsum.csv").open(encoding="utf-8", newline="") as file:
        texts += [row["question"] for row in csv.DictReader(file)]
    assert len(texts) > 2_900
    stopped = [said for said in map(what_does_not_belong, texts) if said]
    assert len(stopped) <= 2


@pytest.mark.parametrize("unseen", ["\u200b", "\u200d", "\u2060", "\ufeff", "\u00ad"])
def test_a_sign_that_takes_no_room_hides_nothing(unseen: str) -> None:
    assert what_does_not_belong(f"4111{unseen}1111 1111 1111") == "the text holds a card number"
    assert what_does_not_belong(f"SSN 123-4{unseen}5-6789") == "the text holds a social security number"
