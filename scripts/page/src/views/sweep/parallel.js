// Parallel coordinates: one line per point through all parameters and metrics; ranges brushed on the axes filter the page.
import { chart } from '../../shared/chart.js';
import { named } from '../../shared/colours.js';
import { h } from '../../shared/dom.js';
import { short } from '../../shared/format.js';
import { isDone } from './points.js';

const MANY = 400;
const LOG_FROM = 100;
const MOST_CATEGORIES = 16;

// Parameters with few values have a place for each.
const isCategory = (column) => !column.isMetric && (!column.isNumber || column.values.length <= MOST_CATEGORIES);

export function parallelPart(data, columns, onBrush) {
  let shown = data.points.filter(isDone);
  let columnsDrawn = columns;
  let intervalsOf = new Map(); // Of the brushed axes, by index.
  const lines = (pareto) => shown.filter((p) => Boolean(p.pareto) === pareto);

  function axisOf(column, dim, colours) {
    const common = {
      id: `axis-${dim}`, dim, name: column.title, nameTextStyle: { color: colours.text, fontSize: 12, width: 110, overflow: 'break', lineHeight: 14 },
      axisLine: { lineStyle: { color: colours.muted } }, axisTick: { lineStyle: { color: colours.muted } },
      axisLabel: { color: colours.muted, fontSize: 11, formatter: isCategory(column) ? undefined : short, width: 90, overflow: 'truncate' },
      areaSelectStyle: { width: 18, color: colours.accent, opacity: 0.25, borderColor: colours.accent },
      splitLine: { show: false },
    };
    const values = shown.map(column.of).filter((v) => typeof v === 'number');
    if (isCategory(column)) return { ...common, type: 'category', data: column.values };
    const isLog = values.length > 1 && values.every((v) => v > 0) && Math.max(...values) / Math.min(...values) > LOG_FROM;
    return { ...common, type: isLog ? 'log' : 'value', scale: true, inverse: column.better === 'less', nameLocation: column.better === 'less' ? 'start' : 'end' };
  }
  const item = (p) => ({ value: columnsDrawn.map((column) => (isCategory(column) ? String(column.of(p)) : column.of(p))), point: p });

  function option(colours) {
    // Axes that are drawn anew have no brushes.
    if (intervalsOf.size > 0) queueMicrotask(() => onBrush(null));
    intervalsOf = new Map();
    columnsDrawn = columns.filter((column) => new Set(data.points.filter(isDone).map(column.of)).size > 1);
    const opacity = shown.length > MANY ? 0.18 : 0.45;
    const series = { type: 'parallel', smooth: false, inactiveOpacity: 0.03, activeOpacity: 1, progressive: 1000 };
    return {
      parallel: { left: 50, right: 70, top: 62, bottom: 16, parallelAxisDefault: { nameLocation: 'end', nameGap: 16 } },
      parallelAxis: columnsDrawn.map((column, i) => axisOf(column, i, colours)),
      series: [
        { ...series, id: 'others', name: 'others', data: lines(false).map(item), lineStyle: { color: named('blue'), width: 1, opacity } },
        { ...series, id: 'front', name: 'front', data: lines(true).map(item), lineStyle: { color: named('orange'), width: 2, opacity: 0.95 } },
      ],
    };
  }

  const made = chart({
    label: 'Parallel coordinates: one line per point through all its parameters and metrics',
    points: data.points.length, height: 430, option, on: { axisareaselected: brush },
  });

  // The points whose line lies in every brushed range; null if nothing is brushed.
  function selection() {
    if (intervalsOf.size === 0) return null;
    const brushed = [...intervalsOf].map(([axis, intervals]) => ({ column: columnsDrawn[axis], intervals }));
    const position = (column, point) => (isCategory(column) ? column.values.indexOf(String(column.of(point))) : column.of(point));
    return (point) => isDone(point) && brushed.every(({ column, intervals }) => {
      const at = position(column, point);
      return at !== null && intervals.some(([low, high]) => at >= Math.min(low, high) && at <= Math.max(low, high));
    });
  }

  function brush({ parallelAxisIndex, parallelAxisId, intervals }) {
    const axis = parallelAxisIndex ?? Number(parallelAxisId.replace('axis-', ''));
    if (intervals.length > 0) intervalsOf.set(axis, intervals);
    else intervalsOf.delete(axis);
    onBrush(selection());
  }

  return {
    element: h('div', {},
      h('p', { class: 'muted' }, 'Drag along an axis to keep only the points that pass there; click the axis to lift it. Orange lines are on the front. Better is up on the axes of metrics. ',
        h('button', { type: 'button', class: 'tool', id: 'unbrush', onclick: () => made.draw() }, 'lift all')),
      made.element),
    show(points) {
      shown = points;
      made.update({ series: [{ id: 'others', data: lines(false).map(item) }, { id: 'front', data: lines(true).map(item) }] });
    },
  };
}
