// A chart by lightweight-charts in this page's colours and time zone. Without the library its table alone remains.
import {el} from "./dom.js";
import {clock, day, minute, full, month} from "./format.js";

const all = [];

const colour = name => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

function look() {
  return {
    layout: {background: {type: "solid", color: "transparent"}, textColor: colour("soft"), fontSize: 11, fontFamily: getComputedStyle(document.body).fontFamily},
    grid: {vertLines: {visible: false}, horzLines: {color: colour("grid")}},
    rightPriceScale: {borderVisible: false, scaleMargins: {top: .12, bottom: .08}},
    timeScale: {borderColor: colour("line"), timeVisible: true, secondsVisible: false, tickMarkFormatter: tick, fixLeftEdge: true, fixRightEdge: true, lockVisibleTimeRangeOnResize: true},
    crosshair: {vertLine: {color: colour("soft"), labelBackgroundColor: colour("accent")}, horzLine: {color: colour("soft"), labelBackgroundColor: colour("accent")}},
    localization: {timeFormatter: seconds => full(seconds * 1000)},
    // The page scrolls, not the chart: a finger or wheel must not get stuck in it.
    handleScroll: false, handleScale: false,
  };
}

function tick(seconds, kind) {
  const ms = seconds * 1000;
  return kind === 0 || kind === 1 ? month(ms) : kind === 2 ? day(ms) : kind === 4 ? clock(ms) : minute(ms);
}

export class Chart {
  // `kinds`: [{type: "Baseline" | "Line" | "Histogram", look: () => options}] in drawing order.
  constructor(box, kinds) {
    this.box = box;
    this.kinds = kinds;
    this.hover = () => {};
    const library = window.LightweightCharts;
    if (!library) {
      box.classList.add("bare");
      box.append(el("p", {class: "empty"}, "The chart library is not there: the table below has the numbers."));
      return;
    }
    this.chart = library.createChart(box, {autoSize: true, ...look()});
    this.series = kinds.map(({type, look: options}) => this.chart[`add${type}Series`]({lastValueVisible: false, priceLineVisible: false, ...options(colour)}));
    this.chart.subscribeCrosshairMove(({time, seriesData}) =>
      this.hover(time === undefined ? null : time * 1000, this.series.map(one => seriesData.get(one)?.value)));
    // What it drew is told in `aria-label` and the table.
    box.firstElementChild?.setAttribute("aria-hidden", "true");
    all.push(this);
  }

  // `lines`: one array of [seconds, value] for each kind.
  draw(lines, label) {
    this.box.setAttribute("aria-label", label);
    if (!this.chart) return;
    lines.forEach((points, number) => this.series[number].setData(points.map(([time, value]) => ({time, value}))));
    this.chart.timeScale().fitContent();
  }

  recolour() {
    this.chart.applyOptions(look());
    this.kinds.forEach(({look: options}, number) => this.series[number].applyOptions(options(colour)));
  }
}

export const recolour = () => all.forEach(chart => chart.recolour());
