"""The page's form, made from the same table of fields as the command line, so that neither says what the other doesn't."""

import json
from collections.abc import Mapping
from html import escape
from pathlib import Path

from slanger.alert import SIZES, Limits
from slanger.execute.time_in_force import COINS, SHARES
from slanger.generator.fields import BY_KEY, DEFAULT_EXPIRY, SERVER, STRATEGY, Field
from slanger.generator.routes import ORDER_KEYS, RULES

TEMPLATE = Path(__file__).with_name("page.html")
# Where each field stands; the key names a place in the template.
PLACES = {
    "alert": ("name", "account", "url", "route", "action", "symbols", "expires"),
    "order": ("limit_price", "wiggle", "stop_price", "take_profit", "stop_loss", "stop_limit", "trail_percent", "trail_price"),
    "limits": tuple(Limits.model_fields),
    "more": ("time_in_force", "extended_hours", "only_flat", "sp", "side", "profit", "comment", "test_price"),
}
EXAMPLES = {
    "name": "macd-5m",
    "account": "paper",
    "url": "https://hooks.example.com",
    "symbols": "AAPL, MSFT",
    "limit_price": "1%",
    "wiggle": "0.5",
    "stop_price": "1%",
    "take_profit": "1%",
    "stop_loss": "1%",
    "stop_limit": "2%",
    "trail_percent": "0.5",
    "trail_price": "2.50",
    "order_notional": "500",
    "notional_per_day": "2000",
    "position_notional": "1000",
    "orders_per_day": "10",
    "loss_per_day": "100",
    "profit": "3",
    "comment": "macd",
    "test_price": "187.50",
}
REQUIRED = ("name", "account", "url")
SIGNS = {"dollars": "$", "percent": "%"}
CHOICES = {STRATEGY: "The strategy decides"}


def page(nonce: str, has_key: bool, known: Mapping[str, str]) -> str:
    """The whole page. `nonce` lets its own script and style run, and no other. `has_key`: the process has a signing key, so that none is asked for.
    `known`: key -> what its field begins with."""
    known = {"expires": DEFAULT_EXPIRY, **known}
    text = TEMPLATE.read_text(encoding="utf-8").replace("NONCE", nonce)
    for place, keys in PLACES.items():
        text = text.replace(f"<!-- {place} -->", "\n".join(_field(BY_KEY[key], known.get(key, "")) for key in keys))
    # Inside a script element only `</` could end it early.
    return text.replace("RULES_JSON", json.dumps(rules(has_key)).replace("</", "<\\/"))


def rules(has_key: bool) -> dict[str, object]:
    """What the page's script must know: which fields and sizes a route has."""
    return {
        "sizes": {key: {"label": BY_KEY[key].label, "help": BY_KEY[key].help, "sign": SIGNS.get(BY_KEY[key].unit, "")} for key in SIZES},
        "orderFields": ORDER_KEYS,
        "routes": {
            route.value: {
                "summary": its.summary,
                "sizes": its.sizes,
                "fields": its.fields,
                "times": list(dict.fromkeys(SHARES[route] + COINS.get(route, ()))),
            }
            for route, its in RULES.items()
        },
        "hasKey": has_key,
        "server": SERVER,
        "strategy": STRATEGY,
    }


def _field(field: Field, value: str) -> str:
    key, label, help_text = field.key, escape(field.label), escape(field.help)
    described = f'aria-describedby="{key}-help {key}-error"'
    note = f'<p class="help" id="{key}-help">{help_text}</p>\n<p class="error" id="{key}-error" hidden></p>'
    if field.unit == "flag":
        box = f'<input type="checkbox" id="{key}" name="{key}" value="true" {described}>'
        return f'<div class="field flag" data-field="{key}">\n<label for="{key}">{box} {label}</label>\n{note}\n</div>'
    if field.unit == "choice":
        options = "".join(f'<option value="{one}">{CHOICES.get(one, one.replace("_", "-").capitalize())}</option>' for one in field.choices)
        control = f'<select id="{key}" name="{key}" {described}>{options}</select>'
    else:
        required = " required" if key in REQUIRED else ""
        example = f' placeholder="{EXAMPLES[key]}"' if key in EXAMPLES else ""
        plain = 'autocomplete="off" autocapitalize="none" spellcheck="false"'
        control = f'<input id="{key}" name="{key}" value="{escape(value)}"{example}{required} {plain} {described}>'
    sign = SIGNS.get(field.unit)
    if sign:
        control = f'<span class="with-sign {field.unit}"><span class="sign" aria-hidden="true">{sign}</span>{control}</span>'
    return f'<div class="field" data-field="{key}">\n<label for="{key}">{label}</label>\n{control}\n{note}\n</div>'
