"""What a bot is given is checked as a whole, before anything is opened."""

import json

import pytest
from bot import settings
from bot.errors import EXIT_CONFIG, Refused


def refusal(environ, root):
    with pytest.raises(Refused) as caught:
        settings.load(environ, root)
    assert caught.value.code == EXIT_CONFIG
    return str(caught.value)


def with_config(environ, **changes):
    return {**environ, "BOT_CONFIG_JSON": json.dumps(settings.merge(json.loads(environ["BOT_CONFIG_JSON"]), changes))}


def test_good_settings_are_the_base_config_and_the_bots_own(environ, root):
    chosen = settings.load(with_config(environ, timeframe="5m", exchange={"ccxt_config": {"timeout": 1}}), root)
    assert chosen.mode == "dryrun" and chosen.config["dry_run"] is True and chosen.config["initial_state"] == "running"
    assert chosen.config["timeframe"] == "5m" and chosen.config["exchange"]["pair_whitelist"] == ["ETH/BTC"]
    assert chosen.config["exchange"]["enable_ws"] is False and chosen.config["exchange"]["ccxt_config"] == {"timeout": 1}
    assert (chosen.lock_timeout, chosen.backup_interval, chosen.backup_keep, chosen.stuck_after) == (120, 86400, 14, 600)


@pytest.mark.parametrize("text", ["", "{", "[]", "3"])
def test_config_that_is_no_json_object(environ, root, text):
    assert "BOT_CONFIG_JSON is" in refusal({**environ, "BOT_CONFIG_JSON": text}, root)


@pytest.mark.parametrize("key", settings.REQUIRED)
def test_what_decides_what_is_traded_has_no_default(environ, root, key):
    config = json.loads(environ["BOT_CONFIG_JSON"])
    section, _, last = key.rpartition(".")
    del (config[section] if section else config)[last]
    assert f"{key} is missing in BOT_CONFIG_JSON" in refusal({**environ, "BOT_CONFIG_JSON": json.dumps(config)}, root)


@pytest.mark.parametrize("name", settings.API_SECRETS)
@pytest.mark.parametrize(
    "value, said",
    [
        (None, "is missing"),
        ("", "is missing"),
        ("a", "characters; use at least"),
        ("changeme-changeme-changeme-changeme", "placeholder"),
        ("x" * 40, "placeholder"),
    ],
)
def test_a_missing_or_weak_api_secret_is_refused_and_never_shown(environ, root, name, value, said):
    if value is None:
        del environ[name]
    else:
        environ[name] = value
    message = refusal(environ, root)
    assert name in message and said in message and not (value and len(value) > 1 and value in message)


def test_a_secret_that_freqtrade_would_read_as_a_number_is_refused(environ, root):
    environ["FREQTRADE__API_SERVER__WS_TOKEN"] = "84736251940385726"
    assert "would be read as a number" in refusal(environ, root)
    environ["FREQTRADE__API_SERVER__WS_TOKEN"] = "ws-84736251940385726"
    environ["FREQTRADE__API_SERVER__PASSWORD"] = "84736251940385726"  # freqtrade leaves this one a string
    settings.load(environ, root)


@pytest.mark.parametrize(
    "changes, path",
    [
        ({"exchange": {"key": "abc"}}, "exchange.key"),
        ({"exchange": {"ccxt_config": {"apiKey": "abc"}}}, "exchange.ccxt_config.apiKey"),
        ({"exchange": {"ccxt_async_config": {"privateKey": "abc"}}}, "exchange.ccxt_async_config.privateKey"),
        ({"api_server": {"jwt_secret_key": "abc"}}, "api_server.jwt_secret_key"),
        ({"api_server": {"ws_token": ["abc"]}}, "api_server.ws_token"),
        ({"telegram": {"token": "abc"}}, "telegram.token"),
        ({"webhook": {"url": "https://hooks.test/abc"}}, "webhook.url"),
    ],
)
def test_secrets_in_the_config_are_refused(environ, root, changes, path):
    message = refusal(with_config(environ, **changes), root)
    assert f"{path} is a secret" in message and "abc" not in message


def test_empty_secret_keys_are_no_secrets(environ, root):
    settings.load(with_config(environ, exchange={"key": "", "secret": "", "ccxt_config": {"requiredCredentials": {"apiKey": False}}}), root)


@pytest.mark.parametrize("value", ["false", 0, None])
def test_dry_run_is_a_boolean(environ, root, value):
    assert "dry_run=" in refusal(with_config(environ, dry_run=value), root)


def test_real_money_needs_the_exchanges_key(environ, root):
    live = with_config(environ, dry_run=False)
    assert "FREQTRADE__EXCHANGE__KEY and FREQTRADE__EXCHANGE__SECRET" in refusal(live, root)
    live["FREQTRADE__EXCHANGE__KEY"] = "k-93ns7"
    assert "needs the exchange's key" in refusal(live, root)
    assert "needs the exchange's key" in refusal({**live, "FREQTRADE__EXCHANGE__SECRET": "changeme"}, root)
    assert settings.load({**live, "FREQTRADE__EXCHANGE__SECRET": "s-83hd6"}, root).mode == "live"


@pytest.mark.parametrize("name", ["FREQTRADE__DRY_RUN", "FREQTRADE__API_SERVER__LISTEN_PORT"])
def test_variables_can_not_change_the_config_behind_the_checks(environ, root, name):
    assert f"{name} is not a known secret" in refusal({**environ, name: "false"}, root)


@pytest.mark.parametrize("changes", [{"db_url": "sqlite://"}, {"api_server": {"listen_port": 9000}}, {"strategy_path": "/tmp"}])
def test_what_the_image_relies_on_is_fixed(environ, root, changes):
    assert "can't be set in BOT_CONFIG_JSON" in refusal(with_config(environ, **changes), root)


def test_an_unknown_strategy_names_the_known_ones(environ, root):
    message = refusal(with_config(environ, strategy="Brakeout"), root)
    assert "strategy='Brakeout' is not in this image; use one of BreakoutStrategy, RsiBandsStrategy" in message


def test_strategies_are_found_without_running_them(root):
    (root / "strategies" / "own.py").write_text(
        "raise SystemExit\nimport freqtrade.strategy as s\n"
        "class Mine(s.IStrategy): pass\nclass Other(object): pass\nclass Sub(Mine, BaseStrategy): pass\n"
    )
    (root / "strategies" / "broken.py").write_text("class (")
    assert settings.strategies(root / "strategies") == {"BreakoutStrategy", "RsiBandsStrategy", "Mine", "Sub"}


@pytest.mark.parametrize("name, value", [("LOCK_TIMEOUT", "soon"), ("BACKUP_INTERVAL", "0"), ("BACKUP_KEEP", "0"), ("STUCK_AFTER", "inf")])
def test_numbers_are_checked(environ, root, name, value):
    assert f"{name}='{value}' must be a number" in refusal({**environ, name: value}, root)


def test_every_mistake_is_named_at_once(environ, root):
    del environ["FREQTRADE__API_SERVER__PASSWORD"]
    message = refusal(with_config({**environ, "LOCK_TIMEOUT": "x"}, strategy="Nope", dry_run="yes"), root)
    assert all(word in message for word in ("PASSWORD", "LOCK_TIMEOUT", "Nope", "dry_run"))
