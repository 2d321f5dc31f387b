// What each engine did when: one bar per span of the trace (or per merged neighbours).
import { chart, grid, legend, toolbox, tooltip, valueAxis, zoom } from '../../shared/chart.js';
import { colourOf, named } from '../../shared/colours.js';
import { definitions, h } from '../../shared/dom.js';
import { figure, percent } from '../../shared/format.js';
import { absent, section } from '../../shared/section.js';

const ROW = 34;
const BAR_SHARE = 0.66;
const LEAST_LABEL_PX = 46;
const LAYERS = 'layers';
// Of a bar in the data.
const [BEGIN, LENGTH, BUSY, SPANS, NAME, LAYER, INSTRUCTION] = [0, 1, 2, 3, 4, 5, 6];

// Series of rectangles: dimensions are row, begin and end in the axis' unit, index of the bar.
function renderBar(label, edge, fill) {
  return (params, api) => {
    const row = api.value(0);
    const [left, middle] = api.coord([api.value(1), row]);
    const [right] = api.coord([api.value(2), row]);
    const height = api.size([0, 1])[1] * BAR_SHARE;
    const box = params.coordSys;
    const x = Math.max(left, box.x);
    const width = Math.min(Math.max(right, left + 0.7), box.x + box.width) - x;
    if (width <= 0) return null;
    const colour = fill?.(api.value(3));
    const text = width > LEAST_LABEL_PX && label ? label(api.value(3)) : null;
    return {
      type: 'rect',
      shape: { x, y: middle - height / 2, width, height },
      style: { fill: colour ?? api.visual('color'), stroke: width > 3 ? edge : null, lineWidth: 1 },
      textContent: text ? { type: 'text', style: { text, fill: edge, width: width - 6, overflow: 'truncate', fontSize: 11 } } : undefined,
      textConfig: text ? { position: 'inside' } : undefined,
    };
  };
}

export function timelineSection(run, clock) {
  const { timeline } = run;
  if (timeline.spans === 0) {
    return { element: section('timeline', 'Timeline', absent('The trace has no spans.')), showLayer() {} };
  }
  const begin = clock.time(timeline.begin);
  const end = clock.time(timeline.end);
  const rows = [LAYERS, ...timeline.tracks.map((track) => track.name)];
  let keeps = () => true;
  let visible = timeline.tracks.map((track) => track.bars);

  const layerItems = () => timeline.layer_spans.map(([at, length], i) => [0, clock.time(at), clock.time(at + length), i]);
  const items = (track) => visible[track].map((bar, i) => [track + 1, clock.time(bar[BEGIN]), clock.time(bar[BEGIN] + bar[LENGTH]), i]);

  function barTooltip(track, bar) {
    const merged = bar[SPANS] > 1;
    return h('div', {}, h('strong', {}, timeline.names[bar[NAME]]), definitions([
      ['engine', timeline.tracks[track].name],
      ['layer', timeline.layers[bar[LAYER]] || 'none'],
      ['instruction', bar[INSTRUCTION] < 0 ? 'none' : figure(bar[INSTRUCTION])],
      ['begin', clock.both(bar[BEGIN])],
      [merged ? 'length' : 'duration', clock.both(bar[LENGTH])],
      merged && ['merged', `${figure(bar[SPANS])} spans, the longest named`],
      merged && ['busy', percent((100 * bar[BUSY]) / Math.max(1, bar[LENGTH]), { digits: 1 })],
    ].filter(Boolean)));
  }

  function layerTooltip(span) {
    const layer = run.layers.find((each) => each.name === timeline.layers[span[2]]);
    return h('div', {}, h('strong', {}, timeline.layers[span[2]]), definitions([
      ['begin', clock.both(span[0])], ['duration', clock.both(span[1])], layer && ['bound by', layer.bound_by]].filter(Boolean)));
  }

  function option(colours) {
    const custom = { type: 'custom', encode: { x: [1, 2], y: 0 }, clip: true };
    return {
      grid: grid({ bottom: 54, top: 26 }),
      xAxis: { ...valueAxis(`time [${clock.unit}]`, colours, { min: begin, max: end }), nameGap: 24 },
      yAxis: {
        type: 'category', data: rows, inverse: true, axisLine: { lineStyle: { color: colours.muted } }, axisTick: { show: false },
        axisLabel: { color: colours.text, fontSize: 12 }, splitLine: { show: true, lineStyle: { color: colours.line } },
      },
      legend: legend(colours, rows.slice(1)),
      dataZoom: zoom(colours, { bottom: 30 }),
      toolbox: toolbox(colours, 'timeline'),
      tooltip: tooltip(colours, ({ seriesIndex, value, dataIndex }) => (seriesIndex === 0
        ? layerTooltip(timeline.layer_spans[dataIndex]) : barTooltip(seriesIndex - 1, visible[seriesIndex - 1][value[3]]))),
      series: [
        {
          ...custom, id: LAYERS, name: LAYERS, data: layerItems(), itemStyle: { color: colourOf(LAYERS) },
          renderItem: renderBar((i) => timeline.layers[timeline.layer_spans[i][2]], colours.surface, (i) => (i % 2 === 0 ? named('grey') : colours.guide)),
        },
        ...timeline.tracks.map((track, t) => ({
          ...custom, id: `track-${t}`, name: track.name, data: items(t), itemStyle: { color: colourOf(track.name, t) },
          renderItem: renderBar((i) => timeline.layers[visible[t][i][LAYER]] || timeline.names[visible[t][i][NAME]], colours.surface),
        })),
      ],
    };
  }

  const range = h('output', { class: 'range' });
  let zoomed = [0, 100];
  const describe = () => {
    const at = (percentage) => clock.text(begin + ((end - begin) * percentage) / 100);
    range.textContent = `${at(zoomed[0])} to ${at(zoomed[1])}`;
  };
  const made = chart({
    label: 'Timeline: what each engine did when',
    points: timeline.tracks.reduce((sum, track) => sum + track.bars.length, 0),
    height: rows.length * ROW + 112,
    option,
    on: {
      datazoom() {
        const { start, end: stop } = made.options().dataZoom[0];
        zoomed = [start, stop];
        describe();
      },
    },
  });
  describe();

  function zoomTo(start, stop) {
    const width = Math.min(100, Math.max(stop - start, 1e-6));
    const first = Math.min(Math.max(0, start), 100 - width);
    made.dispatch({ type: 'dataZoom', start: first, end: first + width });
  }
  const scale = (factor) => {
    const middle = (zoomed[0] + zoomed[1]) / 2;
    const half = ((zoomed[1] - zoomed[0]) * factor) / 2;
    zoomTo(middle - half, middle + half);
  };
  const shift = (share) => {
    const by = (zoomed[1] - zoomed[0]) * share;
    zoomTo(zoomed[0] + by, zoomed[1] + by);
  };
  const button = (text, label, action) => h('button', { type: 'button', class: 'tool', 'aria-label': label, title: label, onclick: action }, text);

  const merged = timeline.merged_cycles > 0
    ? `The trace has ${figure(timeline.spans)} spans; neighbours ${timeline.merges_layers ? '' : 'of one layer '}within ${figure(timeline.merged_cycles)} cycles are one bar each, so below that length a bar does not tell busy from idle.`
    : `All ${figure(timeline.spans)} spans of the trace.`;

  return {
    element: section('timeline', 'Timeline',
      h('p', { class: 'muted' }, merged, ' Zoom by the slider, the buttons or Ctrl and the wheel; a layer’s name in the table above zooms to it; the legend hides engines.'),
      h('div', { class: 'tools', role: 'group', 'aria-label': 'zoom of the timeline' },
        button('+', 'zoom in', () => scale(0.5)), button('−', 'zoom out', () => scale(2)),
        button('◀', 'earlier', () => shift(-0.5)), button('▶', 'later', () => shift(0.5)),
        button('all', 'the whole inference', () => zoomTo(0, 100)), range),
      made.element),
    filter(next) {
      keeps = next;
      const wanted = timeline.layers.map((name) => keeps(name));
      visible = timeline.tracks.map((track) => track.bars.filter((bar) => wanted[bar[LAYER]]));
      made.update({ series: timeline.tracks.map((track, t) => ({ id: `track-${t}`, data: items(t) })) });
    },
    showLayer(name) {
      const index = timeline.layers.indexOf(name);
      const span = timeline.layer_spans.find(([, , layer]) => layer === index);
      if (span === undefined) return;
      const percentOf = (cycle) => (100 * (cycle - timeline.begin)) / Math.max(1, timeline.end - timeline.begin);
      const [from, to] = [percentOf(span[0]), percentOf(span[0] + span[1])];
      const room = (to - from) * 0.1;
      zoomTo(from - room, to + room);
    },
  };
}
