// Panels' data: asked for again and again while the page can be seen, one question at a time, the newest choice wins.
import {el} from "./dom.js";
import {when} from "./format.js";

// The longest that the board takes: 5 s in the queue, 8 s for Loki, 2 s for a ping.
const DEADLINE_MS = 20000;
const RETRY_S = 5;

export async function get(name, parameters, signal) {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const answer = await fetch(`/api/${name}?${new URLSearchParams(parameters)}`, {signal: signal ? AbortSignal.any([signal, deadline]) : deadline});
  const said = await answer.json().catch(() => ({error: `the board answers ${answer.status}: see its log`}));
  if (!answer.ok) throw new Error(said.error || `the board answers ${answer.status}`);
  return said;
}

// `parameters()` says what to ask, `show({data, at, problem})` draws it. The returned function asks at once; its `again` draws the last answer anew.
export function poll(name, seconds, parameters, show) {
  let running = null;
  let timer = 0;
  let failed = false;
  let last = null;
  const tell = answer => show(last = answer);
  async function ask() {
    clearTimeout(timer);
    running?.abort();
    const mine = running = new AbortController();
    try {
      const answer = await get(name, parameters(), mine.signal);
      if (mine !== running) return;
      failed = Boolean(answer.problem);
      tell(answer);
    } catch (error) {
      if (mine !== running) return;
      const words = error instanceof TypeError || error.name === "TimeoutError" ? "the board does not answer" : error.message;
      failed = true;
      tell({data: null, at: 0, problem: words});
    }
    if (mine === running) timer = setTimeout(() => document.hidden ? wait() : ask(), (failed ? Math.min(seconds, RETRY_S) : seconds) * 1000);
  }
  function wait() {
    document.addEventListener("visibilitychange", ask, {once: true});
  }
  ask.again = () => last && show(last);
  ask();
  return ask;
}

// A panel's own word about its source, kept up with what live tells of it. `name`: of the notice; `sourceName`: influxdb, loki, redis.
const told = new Map();
let sourceOf = () => undefined;

export function notice(name, problem, sourceName, lastGood) {
  told.set(name, {problem, sourceName, lastGood});
  draw(name);
}

// `find`: name -> what live told about that source, with since and what to do.
export function renotice(find) {
  sourceOf = find;
  told.forEach((_, name) => draw(name));
}

function draw(name) {
  const {problem, sourceName, lastGood} = told.get(name);
  const source = sourceOf(sourceName);
  const box = document.querySelector(`[data-notice="${name}"]`);
  box.hidden = !problem;
  if (!problem) return;
  const title = source?.title || "The source";
  const old = lastGood ? ` What is shown is from ${when(lastGood)}.` : "";
  const down = source?.state === "down";
  const absent = source?.state === "absent";
  const text = absent ? `${title}: ${source.problem}.` : down
    ? `${title} is down since ${when(source.since)}: ${problem}.${old}` : `${problem[0].toUpperCase()}${problem.slice(1)}.${old}`;
  box.className = absent ? "notice" : "notice bad";
  const made = [el("span", {}, text), down ? el("small", {}, source.todo) : null].filter(Boolean);
  if (box.textContent !== made.map(one => one.textContent).join("")) box.replaceChildren(...made);
}
