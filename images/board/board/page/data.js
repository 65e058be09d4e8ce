// Panels' data: asked for again and again while the page can be seen, one question at a time, the newest choice wins.
import {at, el} from "./dom.js";
import {when} from "./format.js";

const DEADLINE_MS = 15000;

export async function get(name, parameters, signal) {
  const deadline = AbortSignal.timeout(DEADLINE_MS);
  const answer = await fetch(`/api/${name}?${new URLSearchParams(parameters)}`, {signal: signal ? AbortSignal.any([signal, deadline]) : deadline});
  const said = await answer.json().catch(() => ({error: `the board answers ${answer.status}: see its log`}));
  if (!answer.ok) throw new Error(said.error || `the board answers ${answer.status}`);
  return said;
}

// `parameters()` says what to ask, `show({data, at, problem})` draws it. The returned function asks at once.
export function poll(name, seconds, parameters, show) {
  let running = null;
  let timer = 0;
  async function ask() {
    clearTimeout(timer);
    running?.abort();
    const mine = running = new AbortController();
    try {
      const answer = await get(name, parameters(), mine.signal);
      if (mine === running) show(answer);
    } catch (error) {
      if (mine !== running) return;
      const words = error instanceof TypeError || error.name === "TimeoutError" ? "the board does not answer" : error.message;
      show({data: null, at: 0, problem: words});
    }
    if (mine === running) timer = setTimeout(() => document.hidden ? wait() : ask(), seconds * 1000);
  }
  function wait() {
    document.addEventListener("visibilitychange", ask, {once: true});
  }
  ask();
  return ask;
}

// A panel's own word about its source. `source`: what live told about it, with since and what to do.
export function notice(name, problem, source, lastGood) {
  const box = document.querySelector(`[data-notice="${name}"]`);
  const absent = source?.state === "absent";
  box.hidden = !problem;
  if (!problem) return;
  const title = source?.title || "The source";
  const old = lastGood ? ` What is shown is from ${when(lastGood)}.` : "";
  const down = source?.state === "down";
  const text = absent ? `${title}: ${source.problem}.` : down
    ? `${title} is down since ${when(source.since)}: ${problem}.${old}` : `${problem[0].toUpperCase()}${problem.slice(1)}.${old}`;
  box.className = absent ? "notice" : "notice bad";
  const made = [el("span", {}, text), down ? el("small", {}, source.todo) : null].filter(Boolean);
  if (box.textContent !== made.map(one => one.textContent).join("")) box.replaceChildren(...made);
}
