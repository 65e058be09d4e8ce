// What is down, since when, and what to do; and every service and source as a tile.
import {at, el, keep, say, table} from "./dom.js";
import {count, full, moment, when} from "./format.js";
import {onChange} from "./state.js";
import {notice, poll, renotice} from "./data.js";
import {on} from "./live.js";

let sources = [];
let services = [];
const listeners = [];
const SHOWN = 12;

export const source = name => sources.find(one => one.name === name);
export const onSources = hear => listeners.push(hear);

function downs() {
  return [...sources, ...services].filter(one => one.state === "down");
}

function draw() {
  const down = downs();
  at("down").hidden = down.length === 0;
  say(at("down-title"), down.length === 1 ? "One thing is down; the rest goes on" : `${down.length} things are down; the rest goes on`);
  keep(at("down-list"), [...down.slice(0, SHOWN), ...(down.length > SHOWN ? [null] : [])], one => one?.name ?? "more", one => one
    ? el("li", {}, el("b", {}, one.title), ` since ${when(one.since)}: ${one.problem}.`, el("small", {}, one.todo))
    : el("li", {}, `and ${down.length - SHOWN} more`));
  say(at("announce"), down.length ? `${down.length} down: ${down.slice(0, 3).map(one => one.title).join(", ")}${down.length > 3 ? " and more" : ""}` : "");
  // Bots have a panel of their own.
  const shown = [...sources.filter(one => !one.name.startsWith("bot:")), ...services];
  keep(at("service-list"), shown, one => one.name, tile);
  at("services-empty").hidden = shown.length > 0;
}

const STATES = {up: ["good", "up"], down: ["bad", "down"], absent: ["soft", "not set up"], unknown: ["soft", "asking"]};

function tile(one) {
  const [tone, word] = STATES[one.state];
  const about = one.state === "up" ? (one.took !== undefined ? `answers in ${one.took} ms` : "answers") : one.problem || "";
  return el("li", {class: one.state === "down" ? "down-tile" : null},
    el("b", {}, one.title.replace(/^Service /, "")), el("span", {class: `mark ${tone}`}, word),
    el("small", {title: full(one.since)}, one.state === "up" || one.state === "down" ? `since ${when(one.since)}` : "", about ? ` · ${about}` : ""));
}

function telemetry({data, problem, at: time}) {
  notice("telemetry", problem, "influxdb", data && problem ? time : 0);
  if (!data) return;
  const columns = [{name: "Service"}, {name: "Written", num: true}, {name: "Waiting", num: true}, {name: "Dropped", num: true}, {name: "Last word", num: true, wide: true}];
  table(at("telemetry"), "What services wrote to InfluxDB and dropped since they started", columns, data.rows.map(one => [
    one.service, count(one.written), count(one.waiting), el("span", {class: one.dropped > 0 ? "bad" : null}, count(one.dropped)), moment(one.at)]));
  at("telemetry-empty").hidden = data.rows.length > 0;
}

export function startSources() {
  on("sources", rows => { sources = rows; renotice(source); draw(); listeners.forEach(hear => hear()); });
  on("services", rows => { services = rows; draw(); });
  onChange(["zone"], draw);
  poll("telemetry", 10, () => ({}), telemetry);
}
