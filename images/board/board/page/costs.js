// What each task costs in 30 days, and what the months came to.
import {at, el, table} from "./dom.js";
import {fixed, monthUtc, usd, when} from "./format.js";
import {chosen, onChange, rangeWords} from "./state.js";
import {Chart} from "./chart.js";
import {notice, poll} from "./data.js";

let chart;
let drawn = null;

function bar(part) {
  const inner = el("i");
  // Through the object model: the page's policy forbids style attributes.
  inner.style.width = `${Math.round(part * 100)}%`;
  return el("span", {class: "share", "aria-hidden": "true"}, inner);
}

function show({data, at: time, problem}) {
  if (data) drawn = data;
  notice("costs", problem, "influxdb", data && problem ? time : 0);
  if (!drawn) return;
  const {tasks, total, points, grid, months} = drawn;
  at("stat-cost").replaceChildren(usd(total));
  at("cost-total").replaceChildren(usd(total), el("small", {}, " for 30 days, if what runs now goes on"));
  const label = `Cost of 30 days over time, ${rangeWords()}: ${usd(total)} now`;
  chart.draw([points], grid, label);
  const most = Math.max(...tasks.map(one => one.usd), 0.01);
  table(at("cost-table"), "Cost of 30 days by task", [{name: "Task"}, {name: ""}, {name: "30 days", num: true}, {name: "Share", num: true}],
    tasks.map(one => [one.task, bar(one.usd / most), usd(one.usd), total ? `${fixed((one.usd / total) * 100, 0)} %` : ""]));
  table(at("month-table"), "Cost by calendar month", [{name: "Month"}, {name: "So far", num: true}], months.map(one => [monthUtc(one.time), usd(one.usd)]));
  at("costs-empty").hidden = tasks.length > 0;
}

export function startCosts() {
  chart = new Chart(at("cost-chart"), [{type: "Area", look: colour => ({lineColor: colour("accent"), topColor: `${colour("accent")}40`, bottomColor: `${colour("accent")}08`, lineWidth: 2,
    priceFormat: {type: "custom", minMove: 0.01, formatter: usd}})}]);
  const ask = poll("costs", 30, () => ({range: chosen.range}), show);
  onChange(["range"], ask);
  onChange(["zone"], ask.again);
}
