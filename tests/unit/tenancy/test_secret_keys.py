import base64
import multiprocessing
import stat
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidings.base.errors import SecretUnreadable, SettingInvalid
from tidings.base.settings import Settings
from tidings.tenancy.secret_keys import Sealed, SecretKeys, key_id, load_secret_keys

HERE, THERE = UUID(int=1), UUID(int=2)
KEY, OTHER = bytes(32), bytes([7]) * 32


def settings(home, secret_key=None):
    return Settings(home=home, secret_key=secret_key, _env_file=None)


def names(folder):
    return [file.name for file in folder.iterdir()]


def encoded(key):
    return base64.b64encode(key).decode()


@given(st.text(), st.text(max_size=20))
def test_what_is_sealed_opens_again(plain, name):
    plain, name = (t.encode("utf-8", "ignore").decode() for t in (plain, name))
    keys = SecretKeys([KEY])
    sealed = keys.seal(HERE, name, plain)
    assert keys.open(HERE, name, sealed) == plain
    assert keys.seal(HERE, name, plain).sealed != sealed.sealed


@given(st.integers(0, 40), st.integers(1, 255))
def test_any_changed_byte_is_noticed(position, change):
    keys = SecretKeys([KEY])
    sealed = bytearray(keys.seal(HERE, "a", "thirteen char").sealed)
    sealed[position] ^= change
    with pytest.raises(SecretUnreadable):
        keys.open(HERE, "a", Sealed(bytes(sealed), keys.current))


def test_it_opens_only_where_it_was_sealed_and_with_its_key():
    keys = SecretKeys([KEY])
    sealed = keys.seal(HERE, "a", "plain")
    for place in ((THERE, "a"), (HERE, "b")):
        with pytest.raises(SecretUnreadable):
            keys.open(*place, sealed)
    with pytest.raises(SecretUnreadable, match=key_id(KEY)):
        SecretKeys([OTHER]).open(HERE, "a", sealed)
    with pytest.raises(SecretUnreadable):
        SecretKeys([OTHER]).open(HERE, "a", Sealed(sealed.sealed, key_id(OTHER)))


def test_the_first_key_seals_and_all_open(tmp_path):
    old = load_secret_keys(settings(tmp_path, encoded(KEY)))
    both = load_secret_keys(settings(tmp_path, f"{encoded(OTHER)} , {encoded(KEY)},"))
    assert both.current == key_id(OTHER)
    assert both.open(HERE, "a", old.seal(HERE, "a", "plain")) == "plain"
    assert not (tmp_path / "secret.key").exists()


def test_url_safe_base64_is_read_too(tmp_path):
    key = b"\xfb\xff" * 16
    text = base64.urlsafe_b64encode(key).decode()
    assert load_secret_keys(settings(tmp_path, text)).current == key_id(key)


@pytest.mark.parametrize("text", ["", ",", "not base64!", encoded(b"short"), "é"])
def test_a_bad_key_is_refused_without_being_shown(tmp_path, text):
    with pytest.raises(SettingInvalid) as caught:
        load_secret_keys(settings(tmp_path, text))
    assert "TIDINGS_SECRET_KEY" in caught.value.message
    assert not text or text == "," or text not in caught.value.message


def test_the_file_is_made_once_and_for_us_alone(tmp_path):
    home = tmp_path / "deep" / "home"
    first = load_secret_keys(settings(home))
    file = home / "secret.key"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_secret_keys(settings(home)).current == first.current
    assert names(home) == ["secret.key"]


def test_a_file_others_can_read_is_refused(tmp_path):
    load_secret_keys(settings(tmp_path))
    (tmp_path / "secret.key").chmod(0o640)
    with pytest.raises(SettingInvalid, match="chmod 600"):
        load_secret_keys(settings(tmp_path))


def _load(home, barrier, answers):
    barrier.wait()
    answers.put(load_secret_keys(settings(home)).current)


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    context = multiprocessing.get_context("spawn")
    barrier, answers = context.Barrier(4), context.Queue()
    started = [context.Process(target=_load, args=(tmp_path, barrier, answers)) for _ in range(4)]
    for process in started:
        process.start()
    found = {answers.get(timeout=300) for _ in started}
    for process in started:
        process.join()
    assert len(found) == 1
    assert names(tmp_path) == ["secret.key"]


def test_a_key_made_by_another_in_the_meantime_is_kept(tmp_path, monkeypatch):
    from tidings.tenancy import secret_keys

    kept = load_secret_keys(settings(tmp_path))
    secret_keys._create(tmp_path / "secret.key")
    assert load_secret_keys(settings(tmp_path)).current == kept.current
    assert names(tmp_path) == ["secret.key"]
