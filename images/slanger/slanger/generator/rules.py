"""Whether the options fit the route and each other; the values themselves are the schema's to check."""

from collections.abc import Mapping

from slanger.alert import SIZES, Route
from slanger.execute.time_in_force import COINS, SHARES
from slanger.generator.fields import BY_KEY, ROUTES, SERVER, STRATEGY
from slanger.generator.routes import EXCLUSIVE, ORDER_KEYS, RULES, SMASH_OR_PASS, Rules
from slanger.symbols import BadSymbol, canonical_symbol, is_crypto

Mistakes = list[tuple[str, str, str]]
"""key, value, fix"""


def check_route(given: Mapping[str, str]) -> Mistakes:
    """`given`: the options that are there."""
    if given.get("route") not in ROUTES:
        return [("route", given.get("route", ""), BY_KEY["route"].fix)]
    route = Route(given["route"])
    rules = RULES[route]
    return [*_fields(given, route, rules), *_size(given, rules), *_times(given, route), *_smash(given), *_instruments(given, route)]


def _fields(given: Mapping[str, str], route: Route, rules: Rules) -> Mistakes:
    mistakes: Mistakes = []
    for key in ORDER_KEYS:
        if key in given and key not in rules.fields:
            others = ", ".join(one.value for one, its in RULES.items() if key in its.fields)
            mistakes.append((key, given[key], f"the route {route.value} has no use for it: leave it out (it is for {others})"))
    for group in rules.needs:
        if not any(key in given for key in group):
            fixes = " or ".join(f"{key} ({BY_KEY[key].label.lower()})" for key in group)
            mistakes.append((group[0], "", f"the route {route.value} needs {fixes}: {BY_KEY[group[0]].fix}"))
    for one, other in EXCLUSIVE:
        if one in given and other in given:
            mistakes.append((other, given[other], f"give it or {one}, not both"))
    return mistakes


def _size(given: Mapping[str, str], rules: Rules) -> Mistakes:
    sizes = [key for key in ("size", *SIZES) if key in given]
    size = given.get("size")
    if len(sizes) > 1:
        return [(sizes[1], given[sizes[1]], f"give one size, not {' and '.join(sizes)}")]
    if not sizes:
        return [("size", "", f"how much is an order? {BY_KEY['size'].fix}; sizes of this route: {', '.join(rules.sizes)}")]
    if size is not None and size not in (SERVER, STRATEGY):
        return [("size", size, BY_KEY["size"].fix)]
    if size == STRATEGY and ("qty" not in rules.sizes or given["action"] != STRATEGY):
        return [("size", size, "only an alert of a strategy has its quantity, on a route that takes qty: give a size")]
    if size == STRATEGY and "order_notional" not in given:
        return [("order_notional", "", "TradingView's quantity can't be signed: say what an order may cost at most")]
    if "risk_to_stop" in given and given.get("stop_loss") in (None, SERVER):
        return [
            ("stop_loss", given.get("stop_loss", ""), f"risk_to_stop is measured to the alert's own stop-loss: {BY_KEY['stop_loss'].fix}")
        ]
    return []


def _times(given: Mapping[str, str], route: Route) -> Mistakes:
    time = given.get("time_in_force")
    if time and "time_in_force" in RULES[route].fields and time not in SHARES[route] + COINS.get(route, ()):
        return [("time_in_force", time, f"use {', '.join(SHARES[route])}, or leave it out")]
    if given.get("extended_hours", "true") != "true":
        return [("extended_hours", given["extended_hours"], BY_KEY["extended_hours"].fix)]
    if "extended_hours" in given and time not in (None, "day"):
        return [("time_in_force", time, "with extended hours use day, or leave it out")]
    return []


def _smash(given: Mapping[str, str]) -> Mistakes:
    if given.get("only_flat", "true") != "true" or ("only_flat" in given and "sp" in given):
        return [("only_flat", given["only_flat"], BY_KEY["only_flat"].fix)]
    if given.get("sp", "true") != "true":
        return [("sp", given["sp"], BY_KEY["sp"].fix)]
    there = [key for key in SMASH_OR_PASS if key in given]
    missing = [key for key in SMASH_OR_PASS if key not in given]
    return [(key, "", f"{' and '.join(there)} without it: give all three (sp, side, profit), or none") for key in missing] if there else []


def _instruments(given: Mapping[str, str], route: Route) -> Mistakes:
    mistakes: Mistakes = []
    if route is Route.ARISTOCRATS:
        mistakes += [(key, "sell", "the route aristocrats only buys: use buy") for key in ("action", "side") if given.get(key) == "sell"]
    for part in given.get("symbols", "").split(","):
        try:
            crypto = is_crypto(canonical_symbol(part))
        except BadSymbol:
            continue  # The schema tells it.
        if crypto and route not in COINS:
            mistakes.append(("symbols", part.strip(), f"the route {route.value} is for shares: leave it out, or use market or limit"))
        elif "time_in_force" in given and given["time_in_force"] not in (COINS if crypto else SHARES)[route]:
            allowed = ", ".join((COINS if crypto else SHARES)[route])
            mistakes.append(("time_in_force", given["time_in_force"], f"{part.strip()} takes {allowed}: use one, or leave it out"))
    return mistakes
