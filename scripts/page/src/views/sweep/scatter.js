// Points over two quantities of choice, with those that no other point beats.
import { chart, grid, legend, linearAxis, logAxis, logRange, toolbox, tooltip } from '../../shared/chart.js';
import { colourOf, cycleColour } from '../../shared/colours.js';
import { definitions, h } from '../../shared/dom.js';
import { facts, front } from './points.js';

const LOG_FROM = 30;
const MOST_GROUPS = 12;
const FRONT = 'front of the two axes';

export function scatterPart(data, columns, onPoint) {
  const axes = columns.filter((column) => column.isNumber);
  const byKey = (key) => axes.find((column) => column.key === key);
  const metrics = axes.filter((column) => column.isMetric);
  let x = byKey(data.objectives[0]) ?? metrics[0] ?? axes[0];
  let y = byKey(data.objectives[1]) ?? metrics.find((column) => column !== x) ?? x;
  const groups = {
    bound_by: { title: 'bound by', of: (p) => p.bound_by ?? 'unknown' }, model: { title: 'model', of: (p) => p.model },
    ...Object.fromEntries(columns.filter((column) => !column.isMetric).map((column) => [`p-${column.key}`, { title: column.key, of: (p) => column.text(p) }])),
  };
  let group = data.models.length > 1 ? groups.model : groups.bound_by;
  let shown = [];

  const has = (column) => (point) => typeof column.of(point) === 'number';
  const drawn = () => shown.filter((p) => has(x)(p) && has(y)(p));

  function axisOf(column, points, colours) {
    const values = points.map(column.of);
    const isLog = values.length > 1 && values.every((v) => v > 0) && Math.max(...values) / Math.min(...values) > LOG_FROM;
    return isLog ? logAxis(column.title, logRange(values), colours) : linearAxis(column.title, values.length > 0 ? values : [0, 1], colours);
  }

  function option(colours) {
    const points = drawn();
    const found = [...new Set(points.map(group.of))];
    const names = found.slice(0, MOST_GROUPS);
    if (found.length > MOST_GROUPS) names.push('others');
    const nameOf = (p) => (names.includes(group.of(p)) ? group.of(p) : 'others');
    const colour = (name, i) => (group === groups.bound_by ? colourOf(name, i) : cycleColour(i));
    const item = (p) => ({
      name: String(p.id), value: [x.of(p), y.of(p)], point: p, symbolSize: p.pareto ? 13 : 8, symbol: p.pareto ? 'diamond' : 'circle',
      itemStyle: p.pareto ? { borderColor: colours.text, borderWidth: 1.5, opacity: 1 } : { opacity: 0.7 },
    });
    return {
      grid: grid({ bottom: 40, left: 34 }),
      xAxis: { ...axisOf(x, points, colours), nameGap: 28 },
      yAxis: { ...axisOf(y, points, colours), nameGap: 50 },
      legend: legend(colours, [...names, { name: FRONT, icon: 'path://M0 4H14V6H0Z', itemStyle: { color: colours.guide } }]),
      toolbox: toolbox(colours, `${data.name} points`, { dataZoom: { filterMode: 'none', title: { zoom: 'zoom into a box', back: 'zoom back' }, brushStyle: { color: colours.guide, opacity: 0.2 } } }),
      tooltip: tooltip(colours, (at) => (at.data.point ? h('div', {}, h('strong', {}, `point ${at.data.point.id}`), definitions(facts(at.data.point, columns))) : '')),
      series: [
        ...data.models.map((model, i) => ({
          id: `front-${i}`, name: FRONT, type: 'line', step: x.better === 'more' ? 'start' : 'end', symbol: 'none', silent: true, z: 1,
          data: front(points.filter((p) => p.model === model), x, y).map((p) => [x.of(p), y.of(p)]), lineStyle: { color: colours.guide, width: 1.5 }, itemStyle: { color: colours.guide },
        })),
        ...names.map((name, i) => ({ id: `group-${i}`, name, type: 'scatter', z: 3, data: points.filter((p) => nameOf(p) === name).map(item), itemStyle: { color: colour(name, i) } })),
      ],
    };
  }

  const made = chart({
    label: `Points of the sweep over two quantities, with the front of those that no other beats`,
    points: data.points.length, height: 470, option, on: { click: (event) => event.data?.point && onPoint(event.data.point) },
  });
  const choice = (id, label, options, chosen, set) => {
    const select = h('select', { id, onchange: () => { set(select.value); made.draw(); } },
      options.map(([value, title]) => h('option', { value, selected: value === chosen }, title)));
    return [h('label', { for: id }, label), select];
  };
  const axisOptions = axes.map((column) => [column.key, column.title]);
  return {
    element: h('div', {},
      h('p', { class: 'inline' },
        choice('axis-x', 'x', axisOptions, x.key, (key) => { x = byKey(key); }),
        choice('axis-y', 'y', axisOptions, y.key, (key) => { y = byKey(key); }),
        choice('colour', 'colour', Object.entries(groups).map(([key, { title }]) => [key, title]), Object.keys(groups).find((key) => groups[key] === group), (key) => { group = groups[key]; })),
      made.element),
    show(points) {
      shown = points;
      made.draw();
    },
  };
}
