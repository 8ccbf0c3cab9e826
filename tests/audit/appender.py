"""A process that appends to the audit until it is killed; run by test_processes.py.

Its standard input holds one JSON object: the store's URL, its file key, the master key and
the wrapped keys, all of a test's making. It prints one line for each unit it committed.
"""

from __future__ import annotations

import json
import os
import sys
from datetime import UTC, datetime

from sqlalchemy.orm import Session

from crm_core.audit.chain import Entry, Ledger
from crm_core.audit.tags import Tag
from crm_core.store.engines import open_store
from crm_core.vault.keys import Key
from crm_core.vault.vault import Vault
from crm_core.vault.wrapping import Purpose, WrappedKey
from tests.vault.conftest import ListKeyStore


def main() -> None:
    told = json.loads(sys.stdin.readline())
    keystore = ListKeyStore()
    for key in told["keys"]:
        keystore.add(
            WrappedKey(
                id=key["id"],
                purpose=Purpose(key["purpose"]),
                wrapped=bytes.fromhex(key["wrapped"]),
                created_at=datetime.now(UTC),
            )
        )
    vault = Vault.open_existing(keystore, Key(bytes.fromhex(told["master"])))
    store = open_store(told["url"], bytes.fromhex(told["file_key"]))
    ledger = Ledger(vault, store.writing)
    number = 0
    while True:
        number += 1
        entries = [Entry(tag=Tag.PATIENT_OPENED, ids=(number,)), Entry(tag=Tag.MESSAGE_OPENED, ids=(number,))]
        with store.turn(), Session(store.writing) as session, ledger.chain_for(session) as chain:
            chain.append(entries, actor_id=os.getpid(), now=datetime.now(UTC))
            session.commit()
        print(number, flush=True)  # noqa: T201 - how the test follows it


if __name__ == "__main__":
    main()
