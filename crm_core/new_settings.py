"""What a new home's crm.toml says, with what may be changed by hand as comments."""

NEW_FILE = """\
# Settings of this CRM. This folder and all in it belong to one account (0700, 0600).
# Paths are relative to this folder. Passwords stand in files of their own, never here.

[store]
url = {url}
{password}
[key]
source = "{key}"            # keyring, or file: crm.key in this folder

[playbook]
name = {playbook}

[audit]
# Signed checkpoints of the audit go here. Put it on another disk or host: a store that is
# rolled back together with its anchor cannot be told from the older one.
anchor = "anchor.jsonl"

# Other keys for the console's commands, by the ids of docs/keys.md.
# [keys]
# take_next = "f5"

[console]
lock_seconds = 120          # 30 to 900
deliver = true              # while no `crm poll` runs, an open console does its work

# Texts are appended here until a provider is configured; nothing leaves this host.
[gateway.sms]
kind = "spool"
path = "sms.jsonl"

# [gateway.sms]
# kind = "twilio"
# account = "AC..."
# token_file = "twilio-token"
# from = "+12125550100"
# vendor = "Twilio"         # must be known to `crm vendor` with a BAA in date

# [gateway.email]
# kind = "smtp"
# host = "mail.example.org"
# port = 587
# security = "starttls"     # or "tls" for port 465
# user = "crm"
# password_file = "smtp-password"
# from = "frontdesk@example.org"
# vendor = "Example Mail"   # must be known to `crm vendor` with a BAA in date

# A mailbox that is read; see docs/gateways.md.
# [mailbox.front_desk]
# host = "mail.example.org"
# user = "frontdesk@example.org"
# password_file = "imap-password"
# vendor = "Example Mail"

# What `crm listen` takes in: webhooks, web forms, who rings; see docs/listen.md.
# [listen.hook.portal]
# channel = "portal"
# secret_file = "portal-secret"   # made by crm listen --new-key portal-secret
"""
