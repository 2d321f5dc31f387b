// Apache ECharts with the page's colours: charts follow the colour scheme, their box and the printer.
import { LineChart, ScatterChart } from 'echarts/charts';
import { DataZoomComponent, GridComponent, LegendComponent, ToolboxComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';
import { cssValue, h } from './dom.js';
import { short } from './format.js';

use([LineChart, ScatterChart, DataZoomComponent, GridComponent, LegendComponent, ToolboxComponent, TooltipComponent,
  CanvasRenderer, SVGRenderer]);

const charts = new Set();

// Above this the elements of an SVG cost more than a bitmap's softer print.
const MAX_SVG_POINTS = 2000;

function palette() {
  const names = ['text', 'muted', 'line', 'surface', 'accent', 'warning', 'guide'];
  return Object.fromEntries(names.map((name) => [name, cssValue(`--${name}`)]));
}

// A chart that is drawn once its element is in the page. `option(colours)` is ECharts' option;
// `label` is what a screen reader says; `on` maps events of ECharts to functions.
export function chart({ label, option, points, on = {} }) {
  const element = h('div', { class: 'chart', role: 'img', 'aria-label': label });
  let instance = null;

  const self = {
    element,
    draw() { instance?.setOption({ ...base(), ...option(palette()) }, { notMerge: true }); },
    // Only the given parts change; zoom and legend stay.
    update(part) { instance?.setOption(part); },
    resize(size) { instance?.resize(size); },
    dispatch(action) { instance?.dispatchAction(action); },
  };
  const observer = new ResizeObserver(() => {
    if (element.clientWidth === 0) return;
    if (instance !== null) {
      instance.resize();
      return;
    }
    instance = init(element, null, { renderer: points > MAX_SVG_POINTS ? 'canvas' : 'svg' });
    for (const [event, action] of Object.entries(on)) instance.on(event, action);
    self.draw();
  });
  observer.observe(element);
  charts.add(self);
  return self;
}

function base() {
  return { animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: cssValue('--font') } };
}

export function tooltip(colours, formatter) {
  return {
    trigger: 'item',
    confine: true,
    backgroundColor: colours.surface,
    borderColor: colours.line,
    textStyle: { color: colours.text, fontSize: 13 },
    extraCssText: 'max-width:min(26rem,85vw);white-space:normal;overflow-wrap:anywhere',
    formatter,
  };
}

// The common range of logarithmic axes for positive values, with some room.
export function logRange(values) {
  let low = Infinity;
  let high = 0;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { min: 1, max: 10 };
  const room = (high / low) ** 0.06 * 1.12;
  return { min: low / room, max: high * room };
}

// More within a decade, 1, 2, 5 within two, 1 only where there are more, every n-th decade where there are many.
function logTicks({ min, max }) {
  const decades = Math.log10(max / min);
  const steps = decades < 0.8 ? [1, 1.5, 2, 3, 4, 5, 6, 8] : decades < 2.2 ? [1, 2, 5] : [1];
  const every = Math.ceil(decades / 9);
  const ticks = [];
  for (let e = Math.floor(Math.log10(min)); e <= Math.ceil(Math.log10(max)); e += 1) {
    if (e % every !== 0) continue;
    for (const step of steps) {
      const tick = Number(`${step}e${e}`);
      if (tick >= min && tick <= max) ticks.push(tick);
    }
  }
  return ticks;
}

function axis(name, colours) {
  return {
    name,
    nameLocation: 'middle',
    nameTextStyle: { color: colours.text, fontSize: 13 },
    axisLine: { show: true, onZero: false, lineStyle: { color: colours.muted } },
    axisTick: { show: true, lineStyle: { color: colours.muted } },
    axisLabel: { color: colours.muted, formatter: short, hideOverlap: true },
    splitLine: { lineStyle: { color: colours.line } },
  };
}

export function logAxis(name, range, colours) {
  const common = axis(name, colours);
  const customValues = logTicks(range);
  return {
    ...common,
    type: 'log',
    ...range,
    axisTick: { ...common.axisTick, customValues },
    axisLabel: { ...common.axisLabel, customValues },
  };
}

// An axis that holds `values`, with round ends.
export function linearAxis(name, values, colours) {
  const low = values.reduce((a, b) => Math.min(a, b), Infinity);
  const high = values.reduce((a, b) => Math.max(a, b), -Infinity);
  const wanted = Math.max(high - low, 1e-9) / 6;
  const decade = 10 ** Math.floor(Math.log10(wanted));
  const interval = decade * [1, 2, 5, 10].find((step) => step * decade >= wanted);
  return { ...axis(name, colours), type: 'value', interval, min: Math.floor(low / interval) * interval, max: Math.ceil(high / interval) * interval };
}

export function redrawCharts() {
  for (const each of charts) each.draw();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawCharts);

// Paper is light, and a chart's drawing does not follow the printer's layout by itself.
const PRINT_SIZE = { width: 355, height: 340 };
addEventListener('beforeprint', () => {
  document.documentElement.classList.add('paper');
  for (const each of charts) each.resize(PRINT_SIZE);
  redrawCharts();
  for (const each of charts) each.update({ toolbox: { show: false } });
});
addEventListener('afterprint', () => {
  document.documentElement.classList.remove('paper');
  for (const each of charts) each.resize({ width: 'auto', height: 'auto' });
  redrawCharts();
});
