// Log search: by text, service, bot, level and time; newest first, older ones on demand, new ones while it follows.
import {at, el, keep, say} from "./dom.js";
import {count, day, exact, full, when} from "./format.js";
import {chosen, onChange} from "./state.js";
import {bots, onBots} from "./bots.js";
import {get, notice} from "./data.js";
import {now} from "./live.js";
import {onSources, source} from "./sources.js";

const RANGES = [["15m", "last 15 minutes"], ["1h", "last hour"], ["6h", "last 6 hours"], ["24h", "last 24 hours"], ["7d", "last 7 days"], ["custom", "from … to"]];
const LEVELS = [["", "any"], ["debug", "debug and worse"], ["info", "info and worse"], ["warning", "warning and worse"], ["error", "error and worse"]];
const TONES = {error: "bad", critical: "bad", warning: "warn"};
const FOLLOW_MS = 3000;
const MOST = 2000;
let lines = [];
let more = false;
let asked = null;
let running = null;
let timer = 0;
let failed = false;

function options(select, wanted) {
  const key = JSON.stringify(wanted);
  if (select.dataset.key === key) return;
  const value = select.value;
  select.dataset.key = key;
  select.replaceChildren(...wanted.map(([one, label]) => new Option(label, one)));
  if (wanted.some(([one]) => one === value)) select.value = value;
}

function line(one) {
  const ms = Number(BigInt(one.ns) / 1000000n);
  const rest = Object.entries(one.rest || {});
  const time = day(ms) === day(now()) ? exact(ms) : `${day(ms)} ${exact(ms)}`;
  return el("li", {},
    el("time", {class: "time soft", datetime: new Date(ms).toISOString(), title: full(ms)}, time),
    el("span", {class: `level ${TONES[one.level] || "soft"}`}, one.level || "–"),
    el("span", {class: "soft"}, [...new Set([one.service, one.bot])].filter(Boolean).join(" / ") || "–"),
    el("span", {class: "message"}, one.message),
    rest.length ? el("details", {}, el("summary", {}, "more fields"), el("pre", {}, rest.map(([key, value]) => `${key}: ${typeof value === "string" ? value : JSON.stringify(value)}`).join("\n"))) : null);
}

function draw() {
  keep(at("log-lines"), lines, one => one.key, line);
  at("log-older").hidden = !more || lines.length >= MOST;
  const empty = asked !== null && !lines.length;
  at("logs-empty").hidden = !empty;
  say(at("logs-empty"), empty ? "No line matches. Choose a longer time, or less to match." : "");
}

// Two lines may be of the same nanosecond: numbered, so that each has a key of its own.
function keyed(found) {
  const seen = new Map();
  return found.map(one => {
    const base = `${one.ns}/${one.service}/${one.bot}/${one.message.slice(0, 80)}`;
    seen.set(base, (seen.get(base) || 0) + 1);
    return {...one, key: `${base}/${seen.get(base)}`};
  });
}

function parameters() {
  const wanted = {text: at("log-text").value, service: at("log-service").value, bot: at("log-bot").value, level: at("log-level").value};
  const range = at("log-range").value;
  if (range !== "custom") return {...wanted, range};
  // What is typed is in the zone that the page shows.
  return {...wanted, from: typed("log-from"), to: typed("log-to")};
}

function typed(id) {
  const value = at(id).value;
  if (!value) return "";
  const ms = chosen.zone === "UTC" ? Date.parse(`${value}Z`) : new Date(value).getTime();
  return Number.isFinite(ms) ? String(ms) : "";
}

// `quiet`: nobody asked for it just now, so a screen reader says nothing of it.
async function search({older = false, quiet = false} = {}) {
  clearTimeout(timer);
  running?.abort();
  const mine = running = new AbortController();
  const wanted = older ? {...asked, before: lines[lines.length - 1].ns} : parameters();
  if (!older) asked = wanted;
  failed = false;
  at("log-said").setAttribute("aria-live", quiet ? "off" : "polite");
  if (!quiet) say(at("log-said"), "searching");
  try {
    const {data, problem} = await get("logs", Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== "")), mine.signal);
    if (mine !== running) return;
    failed = Boolean(problem);
    notice("logs", problem, "loki", 0);
    if (data) {
      lines = keyed(older ? [...lines, ...data.lines] : data.lines);
      more = data.more;
      say(at("log-said"), `${count(lines.length)}${more ? " newest" : ""} ${lines.length === 1 ? "line" : "lines"}${lines.length ? `, the last at ${when(Number(BigInt(lines[0].ns) / 1000000n))}` : ""}`);
      options(at("log-service"), [["", "any"], ...data.services.map(one => [one, one])]);
    } else say(at("log-said"), "no answer");
  } catch (error) {
    if (mine !== running) return;
    const words = error instanceof TypeError || error.name === "TimeoutError" ? "the board does not answer" : error.message;
    notice("logs", words, "", 0);
    say(at("log-said"), "no answer");
  }
  if (mine !== running) return;
  draw();
  if (at("log-follow").checked) timer = setTimeout(() => (document.hidden ? document.addEventListener("visibilitychange", () => search({quiet: true}), {once: true}) : search({quiet: true})), FOLLOW_MS);
}

function custom() {
  const wanted = at("log-range").value === "custom";
  document.querySelectorAll("#log-form .custom").forEach(one => { one.hidden = !wanted; });
  at("log-follow").disabled = wanted;
  if (wanted) at("log-follow").checked = false;
  if (wanted && !at("log-from").value) {
    const local = ms => new Date(ms - (chosen.zone === "UTC" ? 0 : new Date(ms).getTimezoneOffset() * 60000)).toISOString().slice(0, 19);
    at("log-from").value = local(now() - 3600000);
    at("log-to").value = local(now());
  }
}

export function startLogs() {
  options(at("log-range"), RANGES);
  at("log-range").value = "1h";
  options(at("log-level"), LEVELS);
  options(at("log-service"), [["", "any"]]);
  options(at("log-bot"), [["", "any"]]);
  onBots(() => options(at("log-bot"), [["", "any"], ...bots.map(bot => [bot.name, bot.name]).sort()]));
  at("log-form").addEventListener("submit", event => { event.preventDefault(); search(); });
  at("log-range").addEventListener("change", () => { custom(); if (at("log-range").value !== "custom") search(); });
  for (const id of ["log-service", "log-bot", "log-level"]) at(id).addEventListener("change", () => search());
  at("log-follow").addEventListener("change", event => (event.target.checked ? search() : clearTimeout(timer)));
  at("log-older").addEventListener("click", () => search({older: true}));
  onChange(["zone"], draw);
  // What was asked while Loki was away is asked again when it is back.
  onSources(() => { if (failed && source("loki")?.state === "up") search(); });
  search();
}
