"""The vault stands low in the house and is light to import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = sorted(f"crm_core.vault.{path.stem}" for path in (ROOT / "crm_core" / "vault").glob("[!_]*.py"))


def test_the_vault_imports_neither_a_store_nor_a_keyring() -> None:
    code = f"import sys, {', '.join(ROOMS)}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "cryptography" in loaded
    assert loaded.isdisjoint({"sqlalchemy", "keyring", "sqlcipher3", "psycopg", "pydantic", "textual", "typer"})
