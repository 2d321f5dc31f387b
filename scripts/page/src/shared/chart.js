// Apache ECharts with the page's colours: charts follow the colour scheme, their box and the printer.
import { BarChart, CustomChart, LineChart, ParallelChart, ScatterChart } from 'echarts/charts';
import { DataZoomComponent, GridComponent, LegendComponent, MarkLineComponent, ParallelComponent, ToolboxComponent, TooltipComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { CanvasRenderer, SVGRenderer } from 'echarts/renderers';
import { cssValue, h } from './dom.js';
import { short } from './format.js';

use([BarChart, CustomChart, LineChart, ParallelChart, ScatterChart, DataZoomComponent, GridComponent, LegendComponent, MarkLineComponent,
  ParallelComponent, ToolboxComponent, TooltipComponent, CanvasRenderer, SVGRenderer]);

const charts = new Set();

// Above this the elements of an SVG cost more than a bitmap's softer print.
const MAX_SVG_POINTS = 2000;

function palette() {
  const names = ['text', 'muted', 'line', 'surface', 'raised', 'accent', 'warning', 'guide'];
  return Object.fromEntries(names.map((name) => [name, cssValue(`--${name}`)]));
}

// A chart that is drawn once its element is in the page. `option(colours)` is ECharts' option;
// `label` is what a screen reader says; `on` maps events of ECharts to functions. With a `height`
// (in pixels) it is as wide as its column, without one about square.
// The element's `chart` is for whoever drives the page from outside.
export function chart({ label, option, points, height, on = {} }) {
  const style = height ? `height:${height}px` : null;
  const element = h('div', { class: height ? 'chart wide' : 'chart', role: 'img', 'aria-label': label, style });
  let instance = null;

  const self = {
    element,
    draw() { instance?.setOption({ ...base(), ...option(palette()) }, { notMerge: true }); },
    // Only the given parts change; zoom and legend stay.
    update(part) { instance?.setOption(part); },
    resize(size) { instance?.resize(size); },
    dispatch(action) { instance?.dispatchAction(action); },
    options() { return instance?.getOption(); },
    paperSize() { return height ? { width: 710, height } : { width: 355, height: 340 }; },
    dispose() {
      observer.disconnect();
      charts.delete(self);
      instance?.dispose();
      instance = null;
    },
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
  element.chart = self;
  return self;
}

function base() {
  return { animation: false, backgroundColor: 'transparent', textStyle: { fontFamily: cssValue('--font') } };
}

export function tooltip(colours, formatter, trigger = 'item') {
  return {
    trigger,
    confine: true,
    backgroundColor: colours.surface,
    borderColor: colours.line,
    textStyle: { color: colours.text, fontSize: 13 },
    axisPointer: { type: trigger === 'axis' ? 'shadow' : 'none', shadowStyle: { color: colours.guide, opacity: 0.1 } },
    extraCssText: 'max-width:min(26rem,85vw);white-space:normal;overflow-wrap:anywhere',
    formatter,
  };
}

export function legend(colours, data) {
  return {
    type: 'scroll', bottom: 0, left: 'center', itemWidth: 14, itemHeight: 9, itemGap: 12, data, icon: 'roundRect',
    textStyle: { color: colours.text, fontSize: 12 }, inactiveColor: colours.line, pageIconColor: colours.muted,
    pageIconInactiveColor: colours.line, pageTextStyle: { color: colours.muted },
  };
}

export function toolbox(colours, name, feature = {}) {
  return {
    right: 8, top: 0, itemSize: 14, iconStyle: { borderColor: colours.muted },
    emphasis: { iconStyle: { borderColor: colours.accent, textFill: colours.text, textBackgroundColor: colours.surface } },
    feature: { ...feature, saveAsImage: { title: 'save as image', name, backgroundColor: colours.surface } },
  };
}

// Room for axis labels and names inside the chart's box.
export function grid({ top = 30, bottom = 36, left = 8, right = 18 } = {}) {
  return { left, right, top, bottom, outerBoundsMode: 'same', outerBoundsContain: 'all' };
}

// Zoom along one axis: wheel and drag inside, and a slider.
export function zoom(colours, { axis = 'xAxisIndex', index = 0, bottom = 4, ...rest } = {}) {
  const common = { [axis]: index, filterMode: 'weakFilter', ...rest };
  return [
    { ...common, type: 'inside', id: `inside-${axis}`, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true },
    {
      ...common, type: 'slider', id: `slider-${axis}`, bottom, height: 16, showDetail: false, brushSelect: false, borderColor: colours.line,
      backgroundColor: colours.raised, fillerColor: `${colours.accent}33`, handleStyle: { color: colours.surface, borderColor: colours.accent },
      moveHandleStyle: { color: colours.guide }, moveHandleSize: 4, dataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
      selectedDataBackground: { lineStyle: { opacity: 0 }, areaStyle: { opacity: 0 } },
    },
  ];
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

// An axis from 0 (or from what `range` says) whose ends ECharts rounds.
export function valueAxis(name, colours, range = {}) {
  return { ...axis(name, colours), type: 'value', nameGap: 34, ...range };
}

// Names along an axis; the first one at the top of a vertical axis.
export function categoryAxis(names, colours, { vertical = false, name } = {}) {
  const common = axis(name, colours);
  return {
    ...common,
    type: 'category',
    data: names,
    inverse: vertical,
    splitLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: colours.muted, hideOverlap: true, width: vertical ? 150 : 110, overflow: 'truncate', rotate: vertical ? 0 : names.length > 30 ? 60 : 40,
      fontSize: names.length > 30 && !vertical ? 10.5 : 12 },
  };
}

export function redrawCharts() {
  for (const each of charts) each.draw();
}

matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redrawCharts);

// Paper is light, and a chart's drawing does not follow the printer's layout by itself.
addEventListener('beforeprint', () => {
  document.documentElement.classList.add('paper');
  for (const each of charts) each.resize(each.paperSize());
  redrawCharts();
  for (const each of charts) each.update({ toolbox: { show: false } });
});
addEventListener('afterprint', () => {
  document.documentElement.classList.remove('paper');
  for (const each of charts) each.resize({ width: 'auto', height: 'auto' });
  redrawCharts();
});
