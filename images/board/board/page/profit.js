// The profit curve: of one bot, or of all that earn the same currency, play money apart from real money.
import {at, el, say, table} from "./dom.js";
import {fixed, gain, money, moment, percent, places, span, tone, when} from "./format.js";
import {choose, chosen, onChange, rangeWords} from "./state.js";
import {bots, moneys, onBots} from "./bots.js";
import {Chart} from "./chart.js";
import {notice, poll} from "./data.js";

const TABLE_ROWS = 200;
let chart;
let drawn = {points: [], currency: "", grid: [0, -1, 1]};
let old = 0;

const lastOf = points => (points.length ? points[points.length - 1][1] : null);

function subjects() {
  const select = at("profit-of");
  const all = moneys().map(({name}) => [`*${name}`, `All bots in ${name}`]);
  const wanted = [...(all.length ? all : [["*", "All bots"]]), ...bots.map(bot => [bot.name, bot.name])];
  const key = JSON.stringify(wanted);
  if (select.dataset.key !== key) {
    select.dataset.key = key;
    select.replaceChildren(...wanted.map(([value, label]) => new Option(label, value)));
  }
  const value = subject();
  if (select.value !== value) select.value = value;
}

let picked = "";
// Of all bots: the money that was picked while there is such, else the first.
const summed = () => moneys().find(one => one.name === picked) || moneys()[0];
const subject = () => chosen.bot || `*${summed()?.name || ""}`;

function asking() {
  if (chosen.bot) return {bot: chosen.bot};
  const {currency = "", dry} = summed() || {};
  return {currency, ...(dry ? {dry: "1"} : {})};
}

function show({data, at: time, problem}) {
  if (data) [drawn, old] = [data, time];
  notice("profit", problem, "influxdb", data && problem ? old : 0);
  const points = drawn.points;
  const name = chosen.bot || (drawn.currency ? `all bots in ${drawn.currency}${drawn.dry ? ", dry run" : ""}` : "all bots");
  const last = lastOf(points);
  const label = points.length
    ? `Profit of ${name}, ${rangeWords()}: from ${money(points[0][1], drawn.currency, true)} to ${money(last, drawn.currency, true)}`
    : `Profit of ${name}: no points in the ${rangeWords()}`;
  chart.format(value => fixed(value, places(drawn.currency)));
  chart.draw([points], drawn.grid, label);
  if (problem && !points.length) say(at("profit-legend"), "");
  else legend(points.length ? points[points.length - 1][0] * 1000 : null, last);
  const step = Math.max(1, Math.ceil(points.length / TABLE_ROWS));
  const rows = points.filter((_, number) => (points.length - 1 - number) % step === 0).reverse();
  table(at("profit-table"), label, [{name: "Time"}, {name: "Profit", num: true}],
    rows.map(([seconds, value]) => [moment(seconds * 1000), gain(money(value, drawn.currency, true), value)]));
}

function legend(ms, value) {
  const text = value === null || value === undefined
    ? ["No closed trade is known in this range."] : [el("b", {class: tone(value)}, money(value, drawn.currency, true)), ` at ${when(ms)}`];
  at("profit-legend").replaceChildren(...text);
}

function trades({data, at: time, problem}) {
  notice("trades", problem, "influxdb", data && problem ? time : 0);
  if (!data) return;
  const unit = name => bots.find(bot => bot.name === name)?.currency || "";
  const columns = [{name: "Closed"}, {name: chosen.bot ? "Pair" : "Pair, bot"}, {name: "Held", num: true, wide: true}, {name: "Why", wide: true}, {name: "Profit", num: true}];
  table(at("closed-trades"), `Closed trades of ${chosen.bot || "all bots"}, ${rangeWords()}`, columns, data.trades.map(one => Object.assign([
    moment(one.time), el("span", {}, one.pair, one.side === "short" ? " short" : "", chosen.bot ? null : el("small", {}, one.bot)), span(one.minutes * 60), (one.reason || "").replaceAll("_", " "),
    el("span", {}, gain(money(one.profit, unit(one.bot), true), one.profit), el("small", {class: tone(one.profit_percent)}, percent(one.profit_percent)))],
  {key: `${one.bot}/${one.pair}/${one.time}`})), cells => cells.key);
  at("closed-empty").hidden = data.trades.length > 0;
}

export function startProfit() {
  chart = new Chart(at("profit-chart"), [{type: "Baseline", look: colour => ({
    baseValue: {type: "price", price: 0}, lineWidth: 2, lastValueVisible: true,
    topLineColor: colour("good"), topFillColor1: `${colour("good")}40`, topFillColor2: `${colour("good")}08`,
    bottomLineColor: colour("bad"), bottomFillColor1: `${colour("bad")}08`, bottomFillColor2: `${colour("bad")}40`})}]);
  const last = () => drawn.points[drawn.points.length - 1] || [null, null];
  chart.hover = (ms, [value]) => (ms === null || value === undefined ? legend(last()[0] * 1000, last()[1]) : legend(ms, value));
  const ask = poll("profit", 5, () => ({range: chosen.range, ...asking()}), show);
  const askTrades = poll("trades", 5, () => ({range: chosen.range, ...(chosen.bot ? {bot: chosen.bot} : {})}), trades);
  let known = "";
  onBots(() => {
    subjects();
    const names = moneys().map(one => one.name).join();
    if (known !== names) [known] = [names, ask()];
  });
  onChange(["bot", "range"], () => { subjects(); ask(); askTrades(); });
  onChange(["zone"], () => { ask.again(); askTrades.again(); });
  at("profit-of").addEventListener("change", event => {
    const value = event.target.value;
    if (value.startsWith("*")) picked = value.slice(1);
    if (chosen.bot === (value.startsWith("*") ? "" : value)) ask();
    else choose("bot", value.startsWith("*") ? "" : value);
  });
}
