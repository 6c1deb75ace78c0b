"""Where the cache lies, and who turns it off."""

from pathlib import Path

import pytest
from platformdirs import user_cache_path

from fivefold.core.cache_home import CacheHome, blocked_by, cache_home
from fivefold.core.errors import ConfigError


def test_the_environment_says_where_the_cache_is(monkeypatch, tmp_path):
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path))
    found = cache_home(setting=True)
    assert found.root == tmp_path
    assert found.folder("pixels") == tmp_path / "pixels"


def test_without_the_variable_it_is_the_users_own_cache(monkeypatch):
    monkeypatch.delenv("FIVEFOLD_CACHE")
    assert cache_home(setting=True).root == user_cache_path("fivefold")


def test_a_tilde_is_the_home_folder(monkeypatch):
    monkeypatch.setenv("FIVEFOLD_CACHE", "~/cache")
    assert cache_home(setting=True).root == Path.home() / "cache"


def test_a_config_or_the_environment_turns_it_off(monkeypatch, tmp_path):
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path))
    assert cache_home(setting=False) is None
    for word in ("off", "OFF", " no ", "0", "false", "None"):
        monkeypatch.setenv("FIVEFOLD_CACHE", word)
        assert cache_home(setting=True) is None


def test_a_relative_folder_starts_where_the_command_does(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FIVEFOLD_CACHE", "here")
    assert cache_home(setting=True).root == tmp_path / "here"


def test_the_home_of_nobody_is_told(monkeypatch):
    monkeypatch.setenv("FIVEFOLD_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(
        ConfigError, match="FIVEFOLD_CACHE: expected a folder or 'off', got '~no"
    ) as e:
        cache_home(setting=True)
    assert e.value.problems[0].slug == "config/bad-value"


def test_its_size_is_twenty_gigabytes_or_what_the_config_says(monkeypatch, tmp_path):
    monkeypatch.setenv("FIVEFOLD_CACHE", str(tmp_path))
    assert cache_home(setting=True).num_bytes == 20_000_000_000
    assert cache_home(setting=1.5).num_bytes == 1_500_000_000
    assert cache_home(setting=1).num_bytes == 1_000_000_000


@pytest.mark.parametrize("below", ["", "deep/folder"])
def test_a_file_instead_of_a_folder_is_told_with_the_variable(monkeypatch, tmp_path, below):
    (tmp_path / "file").touch()
    named = tmp_path / "file" / below
    monkeypatch.setenv("FIVEFOLD_CACHE", str(named))
    told = f"FIVEFOLD_CACHE: expected a folder or 'off', got '{named}': {tmp_path}/file is a file"
    assert blocked_by(cache_home(setting=True)) == told


def test_a_file_at_the_usual_place_is_told_with_the_key(monkeypatch, tmp_path):
    monkeypatch.delenv("FIVEFOLD_CACHE")
    monkeypatch.setattr("fivefold.core.cache_home.user_cache_path", tmp_path.joinpath)
    (tmp_path / "fivefold").touch()
    found = blocked_by(cache_home(setting=20.0))
    assert found.startswith(f"cache: expected a folder at {tmp_path}/fivefold, its usual place: ")
    assert found.endswith("; remove it, set `cache: false`, or name a folder by FIVEFOLD_CACHE")


@pytest.mark.parametrize("name", ["", "not/yet/there"])
def test_a_cache_that_is_a_folder_or_can_be_one_is_blocked_by_nothing(tmp_path, name):
    assert blocked_by(CacheHome(tmp_path / name, 1)) == ""


def test_a_folder_that_nobody_may_look_into_is_left_to_who_writes(monkeypatch, tmp_path):
    def refuse(_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", refuse)
    assert blocked_by(CacheHome(tmp_path, 1)) == ""
