"""The key file: its owner's alone, whole or absent."""

from __future__ import annotations

import os
import resource
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from crm_core.errors import CrmError, Unavailable, WrongKey
from crm_core.vault import file_key
from crm_core.vault.keys import Key, KeyDamaged, KeyExists, KeyFileProvider, KeyMissing
from crm_core.vault.private_file import FileFailed, UnsafeFile


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_created_key_is_read_back_and_no_one_else_may_read_it(path: Path) -> None:
    key = Key.random()
    before = os.umask(0)
    try:
        KeyFileProvider(path).create(key)
    finally:
        os.umask(before)
    assert KeyFileProvider(path).read() == key
    assert mode(path) == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_creating_never_replaces_a_key(path: Path) -> None:
    first = Key.random()
    KeyFileProvider(path).create(first)
    with pytest.raises(KeyExists):
        KeyFileProvider(path).create(Key.random())
    assert KeyFileProvider(path).read() == first
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_creating_does_not_write_through_a_link(path: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    path.symlink_to(elsewhere)
    with pytest.raises(KeyExists):
        KeyFileProvider(path).create(Key.random())
    assert not elsewhere.exists()


def test_replacing_leaves_the_new_key_with_the_same_mode(path: Path) -> None:
    provider = KeyFileProvider(path)
    provider.create(Key.random())
    new = Key.random()
    provider.replace(new)
    assert provider.read() == new
    assert mode(path) == 0o600


@pytest.mark.parametrize("wide", [0o640, 0o604, 0o660, 0o644, 0o620, 0o601, 0o777])
def test_a_key_that_others_can_reach_is_refused(path: Path, wide: int) -> None:
    KeyFileProvider(path).create(Key.random())
    path.chmod(wide)
    with pytest.raises(UnsafeFile, match="chmod 600") as caught:
        KeyFileProvider(path).read()
    assert caught.value.exit_code == 4


def test_a_key_that_only_we_may_read_is_accepted(path: Path) -> None:
    key = Key.random()
    KeyFileProvider(path).create(key)
    path.chmod(0o400)
    assert KeyFileProvider(path).read() == key


def test_a_link_to_a_good_key_is_refused(path: Path, tmp_path: Path) -> None:
    KeyFileProvider(path).create(Key.random())
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(UnsafeFile, match="is a link"):
        KeyFileProvider(link).read()


def _folder(path: Path) -> None:
    path.mkdir(mode=0o700)


def _pipe(path: Path) -> None:
    os.mkfifo(path, 0o600)


@pytest.mark.parametrize("make", [_folder, _pipe])
def test_what_is_not_a_plain_file_is_refused_without_waiting(path: Path, make: Callable[[Path], None]) -> None:
    make(path)
    with pytest.raises(UnsafeFile, match="not a plain file"):
        KeyFileProvider(path).read()


def test_a_key_of_another_owner_is_refused(path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root can give a file away")
    KeyFileProvider(path).create(Key.random())
    os.chown(path, 12345, -1)
    with pytest.raises(UnsafeFile, match="belongs to someone else"):
        KeyFileProvider(path).read()


@pytest.mark.parametrize("content", [b"", b"ab" * 31, b"ab" * 33, b"ab" * 400, b"zz" * 32, "ä".encode() * 32])
def test_what_is_no_key_is_refused_in_one_sentence(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    path.chmod(0o600)
    with pytest.raises((UnsafeFile, KeyDamaged)) as caught:
        KeyFileProvider(path).read()
    assert_is_one_sentence(caught.value)


def test_a_missing_key_says_how_to_restore_it(path: Path) -> None:
    with pytest.raises(KeyMissing, match="crm keys recover") as caught:
        KeyFileProvider(path).read()
    assert_is_one_sentence(caught.value)


def test_a_folder_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(FileFailed):
        KeyFileProvider(tmp_path / "nowhere" / "key").create(Key.random())


def test_a_full_disk_leaves_nothing_behind(path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(FileFailed, match="cannot be written"):
            KeyFileProvider(path).create(Key.random())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert list(path.parent.iterdir()) == []


def test_the_database_key_opens_under_its_master_alone(path: Path) -> None:
    master = Key.random()
    key = file_key.create(path, master)
    assert file_key.read(path, master) == key
    assert mode(path) == 0o600
    with pytest.raises(WrongKey):
        file_key.read(path, Key.random())


def test_the_database_key_is_not_in_its_file(path: Path) -> None:
    key = bytes(file_key.create(path, Key.random()))
    stored = path.read_bytes()
    assert key not in stored
    assert key.hex().encode() not in stored


def test_the_database_key_is_never_made_twice(path: Path) -> None:
    master = Key.random()
    key = file_key.create(path, master)
    with pytest.raises(file_key.FileKeyExists):
        file_key.create(path, master)
    assert file_key.read(path, master) == key


def test_rewrapping_the_database_key_keeps_it(path: Path) -> None:
    old, new = Key.random(), Key.random()
    key = file_key.create(path, old)
    file_key.rewrap(path, old, new)
    assert file_key.read(path, new) == key
    with pytest.raises(WrongKey):
        file_key.read(path, old)


def test_a_broken_database_key_file_is_said_in_one_sentence(path: Path) -> None:
    master = Key.random()
    with pytest.raises(file_key.FileKeyMissing) as missing:
        file_key.read(path, master)
    assert_is_one_sentence(missing.value)
    file_key.create(path, master)
    good = path.read_bytes()
    for broken in (good[:-1], good + b"x", b"x" + good[1:], good[:-1] + bytes([good[-1] ^ 1])):
        path.write_bytes(broken)
        with pytest.raises(Unavailable) as caught:
            file_key.read(path, master)
        assert_is_one_sentence(caught.value)


def assert_is_one_sentence(error: CrmError) -> None:
    assert error.exit_code == 4
    assert "\n" not in str(error)
    assert str(error).endswith(".")
    assert str(error).count(". ") == 0
