// Charts that several sections draw: stacked bars, stacked steps over time.
import { categoryAxis, chart, grid, legend, toolbox, tooltip, valueAxis, zoom } from './chart.js';
import { colourOf } from './colours.js';
import { definitions, h } from './dom.js';
import { figureWithUnit } from './format.js';

const BARS_WITHOUT_ZOOM = 40;
const ROW_HEIGHT = 30;

function listTooltip(title, rows, unit, note) {
  return h('div', {}, h('strong', {}, title),
    definitions(rows.filter((row) => row.value).map((row) => [row.name, figureWithUnit(row.value, unit)])),
    note);
}

// Stacked bars. `series`: [{name, values}], `axisName` the values' axis, `unit` that of the tooltip. Horizontal ones suit few
// names, vertical ones many. `byName` colours a single
// series by its names.
export function stackedBars({ label, names, series, axisName, unit, horizontal = false, share = false, height, note, byName = false, onName, colour = colourOf }) {
  let rows = names.map((name, index) => index);
  const data = () => series.map((s, i) => ({ id: `s-${i}`, data: rows.map((row) => s.values[row]) }));
  const long = () => rows.length > BARS_WITHOUT_ZOOM;

  function option(colours) {
    const across = categoryAxis(rows.map((row) => names[row]), colours, { vertical: horizontal });
    const along = valueAxis(axisName, colours, share ? { max: 100 } : {});
    const legendRoom = series.length > 1 ? 26 : 4;
    const zoomRoom = !horizontal && long() ? 24 : 0;
    return {
      grid: grid({ top: horizontal ? 8 : 30, bottom: legendRoom + zoomRoom + (horizontal ? 0 : 6), left: horizontal ? 8 : 30 }),
      xAxis: horizontal ? { ...along, nameGap: 24 } : across,
      yAxis: horizontal ? across : { ...along, nameGap: 44 },
      legend: series.length > 1 ? legend(colours, series.map((s) => s.name)) : undefined,
      dataZoom: zoomRoom > 0 ? zoom(colours, { bottom: legendRoom }) : [],
      toolbox: horizontal ? undefined : toolbox(colours, label),
      tooltip: tooltip(colours, (items) => listTooltip(items[0].name, items.map((item) => ({ name: item.seriesName, value: item.value })), unit,
        note?.(rows[items[0].dataIndex])), 'axis'),
      series: series.map((s, index) => ({
        id: `s-${index}`, name: s.name, type: 'bar', stack: 'all', barMaxWidth: 26, barMinHeight: 0, data: rows.map((row) => s.values[row]),
        itemStyle: { color: byName ? ({ dataIndex }) => colour(names[rows[dataIndex]], dataIndex) : colour(s.name, index) }, emphasis: { focus: 'series' },
      })),
    };
  }

  const made = chart({
    label, option, points: names.length * series.length,
    height: height ?? (horizontal ? names.length * ROW_HEIGHT + 72 : 330),
    on: { click: (event) => onName?.(rows[event.dataIndex]) },
  });
  return {
    element: made.element,
    made,
    show(keep) {
      rows = names.map((name, index) => index).filter(keep);
      if (made.options() === undefined) return;
      const axis = { data: rows.map((row) => names[row]) };
      made.update({ [horizontal ? 'yAxis' : 'xAxis']: axis, series: data() });
    },
  };
}

// Stacked steps: `times` are the begins of the windows and the end of the last, `series` [{name, values}] one value per window.
export function steps({ label, times, range = [times[0], times.at(-1)], series, lines = [], xName, yName, yMax, formatX, unit, height = 300 }) {
  const held = (values) => times.map((time, i) => [time, values[Math.min(i, values.length - 1)]]);
  function option(colours) {
    const line = { type: 'line', step: 'end', symbol: 'none', lineStyle: { width: 1 } };
    return {
      grid: grid({ bottom: 48, left: 30 }),
      xAxis: { ...valueAxis(xName, colours, { min: range[0], max: range[1] }), nameGap: 24 },
      yAxis: { ...valueAxis(yName, colours, { min: 0, max: yMax }), nameGap: 48 },
      legend: legend(colours, [...series.map((s) => s.name), ...lines.map((l) => l.name)]),
      dataZoom: zoom(colours, { bottom: 26, filterMode: 'none' }),
      toolbox: toolbox(colours, label),
      tooltip: {
        ...tooltip(colours, (items) => {
          const shown = items.filter((item) => item.seriesType === 'line' && !item.seriesId.startsWith('guide-'));
          return listTooltip(formatX(items[0].value[0]), shown.map((item) => ({ name: item.seriesName, value: item.value[1] })), unit);
        }, 'axis'),
        axisPointer: { type: 'line', lineStyle: { color: colours.guide } },
      },
      series: [
        ...series.map((s, index) => ({
          ...line, id: `s-${index}`, name: s.name, stack: 'all', data: held(s.values), areaStyle: { opacity: 0.65 }, itemStyle: { color: colourOf(s.name, index) },
          lineStyle: { width: 0.5, color: colourOf(s.name, index) },
        })),
        ...lines.map((l, index) => ({
          ...line, id: `guide-${index}`, name: l.name, data: l.values ? held(l.values) : range.map((time) => [time, l.value]),
          itemStyle: { color: colours[l.colour] }, lineStyle: { color: colours[l.colour], width: 1.3, type: l.values ? 'solid' : 'dashed' },
        })),
      ],
    };
  }
  return chart({ label, option, points: times.length * series.length, height });
}
