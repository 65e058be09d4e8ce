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

// The library begins days and months at UTC's midnight: elsewhere that is some hour of a day.
export function tick(seconds, kind) {
  const ms = seconds * 1000;
  if (kind <= 2 && minute(ms) !== "00:00") return `${day(ms)} ${minute(ms)}`;
  return kind === 0 || kind === 1 ? month(ms) : kind === 2 ? day(ms) : kind === 4 ? clock(ms) : minute(ms);
}

// A line that stays the same would have a scale of nothing but roundings.
function roomy(info) {
  if (info?.priceRange && info.priceRange.maxValue - info.priceRange.minValue <= Math.abs(info.priceRange.maxValue) * 1e-6) {
    const room = Math.abs(info.priceRange.maxValue) * .1 || 1;
    info.priceRange = {minValue: info.priceRange.minValue - room, maxValue: info.priceRange.maxValue + room};
  }
  return info;
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
    this.series.forEach(one => one.applyOptions({autoscaleInfoProvider: original => roomy(original())}));
    this.chart.subscribeCrosshairMove(({time, seriesData}) =>
      this.hover(time === undefined ? null : time * 1000, this.series.map(one => seriesData.get(one)?.value)));
    // What it drew is told in `aria-label` and the table.
    box.firstElementChild?.setAttribute("aria-hidden", "true");
    all.push(this);
  }

  // `lines`: one array of [seconds, value] for each kind; `grid`: [first, last, step] in seconds, so that the axis is as long as the time.
  draw(lines, grid, label) {
    this.box.setAttribute("aria-label", label);
    if (!this.chart) return;
    lines.forEach((points, number) => {
      const bars = this.kinds[number].type === "Histogram";
      const found = new Map(points.map(([time, value]) => [time, bars && value === 0 ? {time} : {time, value}]));
      for (let time = grid[0]; number === 0 && time <= grid[1]; time += grid[2]) if (!found.has(time)) found.set(time, {time});
      this.series[number].setData([...found.values()].sort((one, other) => one.time - other.time));
    });
    this.chart.timeScale().fitContent();
  }

  // How the price scale writes a value.
  format(formatter) {
    this.series?.forEach(one => one.applyOptions({priceFormat: {type: "custom", minMove: 1e-8, formatter}}));
  }

  recolour() {
    this.chart.applyOptions(look());
    this.kinds.forEach(({look: options}, number) => this.series[number].applyOptions(options(colour)));
  }
}

export const recolour = () => all.forEach(chart => chart.recolour());
