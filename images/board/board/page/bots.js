// Bots as they answer now, and the trades of the chosen one.
import {at, el, keep, say, table} from "./dom.js";
import {NOTHING, count, fixed, full, gain, money, moment, percent, places, rate, span, tone} from "./format.js";
import {choose, chosen, onChange} from "./state.js";
import {now, on} from "./live.js";

const TONES = {running: "good", paused: "warn", stopped: "warn", unreachable: "bad"};
const URGENT = ["unreachable", "stopped", "paused", "unknown", "running"];
// A loop takes seconds; a minute without one is worth a look.
const SLOW_LOOP_S = 60;
const MOST_TRADES = 100;
export let bots = [];
const listeners = [];
let sorting = {key: "state", up: true};

export const onBots = hear => listeners.push(hear);

// What can be added up: one currency, and play money apart from real money. `name`: what the person reads.
function moneyOf({currency, dry}) {
  const apart = dry === true && bots.some(bot => bot.dry === false);
  return {name: apart ? `${currency}, dry run` : currency, currency, dry: apart};
}

export function moneys() {
  const found = new Map(bots.filter(bot => bot.currency).map(moneyOf).map(one => [one.name, one]));
  return [...found.keys()].sort().map(name => found.get(name));
}

const order = {
  name: bot => bot.name,
  state: bot => URGENT.indexOf(bot.state),
};

function sorted(shown) {
  const value = order[sorting.key] || (bot => bot[sorting.key] ?? -Infinity);
  return [...shown].sort((one, other) => {
    const [a, b] = [value(one), value(other)];
    const way = a < b ? -1 : a > b ? 1 : 0;
    return (sorting.up ? way : -way) || (one.name < other.name ? -1 : 1);
  });
}

const mark = bot => el("span", {class: `mark ${TONES[bot.state] || "soft"}`, title: bot.problem}, bot.state === "unknown" ? "asking" : bot.state);

function loop(bot) {
  if (!bot.loop_at) return NOTHING;
  const age = Math.max(0, (now() - bot.loop_at) / 1000);
  const slow = age > SLOW_LOOP_S && bot.state === "running";
  return el("span", {class: slow ? "bad" : null, title: full(bot.loop_at)}, age < 10 ? "just now" : `${span(Math.floor(age / 5) * 5)} ago`);
}

function row(bot) {
  const picked = bot.name === chosen.bot;
  const cell = (kind, ...what) => el("td", {class: kind}, ...what);
  const down = bot.state === "unreachable";
  return el("tr", {class: [picked && "chosen", down && "old"].filter(Boolean).join(" ") || null},
    el("th", {scope: "row", class: "plain"}, el("button", {type: "button", class: "pick", "aria-pressed": String(picked), "data-bot": bot.name}, bot.name),
      el("small", {}, [bot.dry === false ? "real money" : bot.dry ? "dry run" : "", bot.strategy].filter(Boolean).join(" · "))),
    cell(null, mark(bot)),
    cell("num wide", loop(bot)),
    cell("num wide", count(bot.open)),
    cell("num wide", count(bot.closed)),
    cell("num", gain(money(bot.profit, bot.currency, true), bot.profit), bot.profit_percent === undefined ? null : el("small", {class: tone(bot.profit_percent)}, percent(bot.profit_percent))),
    cell("num wider", gain(fixed(bot.open_profit, places(bot.currency), true), bot.open_profit)),
    cell("num widest", fixed(bot.balance, places(bot.currency))));
}

function draw() {
  const filter = at("bot-filter").value.trim().toLowerCase();
  const shown = sorted(bots.filter(bot => bot.name.toLowerCase().includes(filter)));
  keep(at("bot-rows"), shown, bot => bot.name, row);
  at("bots-empty").hidden = shown.length > 0;
  say(at("bots-empty"), bots.length ? `No bot's name contains “${filter}”.` : "This stack has no bots.");
  for (const head of document.querySelectorAll("#bot-table th[data-sort]")) {
    if (head.dataset.sort === sorting.key) head.setAttribute("aria-sort", sorting.up ? "ascending" : "descending");
    else head.removeAttribute("aria-sort");
  }
}

export function sums(key) {
  return moneys().flatMap(({name, currency}) => {
    const values = bots.filter(bot => moneyOf(bot).name === name).map(bot => bot[key]).filter(value => typeof value === "number");
    const sum = values.reduce((all, value) => all + value, 0);
    return values.length ? [gain([fixed(sum, places(currency), true), el("small", {class: "unit"}, ` ${name}`)], sum)] : [];
  });
}

function glance() {
  const running = bots.filter(bot => bot.state === "running").length;
  at("stat-bots").replaceChildren(el("span", {class: running === bots.length ? null : "bad"}, `${running} of ${bots.length}`));
  const open = bots.reduce((sum, bot) => sum + (bot.open || 0), 0);
  say(at("stat-open"), bots.some(bot => "open" in bot) ? count(open) : NOTHING);
  for (const [id, key] of [["stat-profit", "profit"], ["stat-open-profit", "open_profit"]]) {
    const found = sums(key);
    at(id).replaceChildren(...(found.length ? found : [NOTHING]));
  }
}

function detail() {
  const bot = bots.find(one => one.name === chosen.bot);
  say(at("trades-title"), bot ? `Trades of ${bot.name}` : "Trades of all bots");
  at("bot-facts").hidden = !bot;
  if (bot) {
    const facts = [["State", mark(bot)], ["Last loop", loop(bot)], ["Strategy", bot.strategy || NOTHING], ["Money", bot.dry === false ? "real" : bot.dry ? "dry run" : NOTHING],
      ["Closed trades", `${count(bot.closed)}${bot.wins !== undefined ? `, ${count(bot.wins)} won` : ""}`], ["Balance", money(bot.balance, bot.currency)]];
    keep(at("bot-facts"), facts, ([name]) => name, ([name, value]) => el("div", {}, el("dt", {}, name), el("dd", {}, value)));
  }
  const open = (bot ? [bot] : bots).flatMap(one => (one.trades || []).map(trade => ({...trade, bot: one}))).sort((one, other) => other.opened - one.opened);
  const columns = [{name: "Opened"}, {name: bot ? "Pair" : "Pair, bot"}, {name: "Rate", num: true, wide: true}, {name: "Stake", num: true, wide: true}, {name: "Profit", num: true}];
  table(at("open-trades"), bot ? `Open trades of ${bot.name}` : "Open trades of all bots", columns, open.slice(0, MOST_TRADES).map(one => Object.assign([
    moment(one.opened), el("span", {}, one.pair, one.side === "short" ? " short" : "", bot ? null : el("small", {}, one.bot.name)), rate(one.rate), money(one.stake, one.bot.currency),
    el("span", {}, gain(money(one.profit, one.bot.currency, true), one.profit), el("small", {class: tone(one.profit_percent)}, percent(one.profit_percent)))], {key: `${one.bot.name}/${one.id}`})),
  cells => cells.key);
  const silent = (bot ? [bot] : bots).every(one => one.state === "unreachable");
  at("open-empty").hidden = open.length > 0;
  say(at("open-empty"), silent ? "Not known while no bot answers." : "No open trade.");
}

function update() {
  draw();
  glance();
  detail();
}

export function startBots() {
  on("bots", rows => {
    bots = rows;
    if (chosen.bot && !bots.some(bot => bot.name === chosen.bot)) choose("bot", "");
    update();
    listeners.forEach(hear => hear());
  });
  onChange(["bot", "zone"], update);
  setInterval(() => bots.length && draw(), 5000);
  at("bot-filter").addEventListener("input", draw);
  at("bot-rows").addEventListener("click", event => {
    const name = event.target.closest("[data-bot]")?.dataset.bot;
    if (name) choose("bot", name === chosen.bot ? "" : name);
  });
  for (const head of document.querySelectorAll("#bot-table th[data-sort]")) {
    head.querySelector("button").addEventListener("click", () => {
      sorting = {key: head.dataset.sort, up: sorting.key === head.dataset.sort ? !sorting.up : head.dataset.sort === "name" || head.dataset.sort === "state"};
      draw();
    });
  }
}
