// On-chip memories over time: how full they are, and who has which bytes.
import { chart, grid, legend, toolbox, tooltip, valueAxis, zoom } from '../../shared/chart.js';
import { colourOf } from '../../shared/colours.js';
import { definitions, h } from '../../shared/dom.js';
import { bytes, figure, percent } from '../../shared/format.js';
import { steps } from '../../shared/plots.js';
import { absent, section } from '../../shared/section.js';

const LEAST_LABEL = { width: 60, height: 13 };
const [BEGIN, END, ADDRESS, BYTES, KIND, LABEL] = [0, 1, 2, 3, 4, 5];

function mapChart(memory, clock, capacity, [from, to]) {
  const series = memory.kinds.map((kind) => ({ kind, blocks: memory.blocks.filter((block) => block[KIND] === kind || (kind === 'other' && !memory.kinds.includes(block[KIND]))) }));
  const render = (blocks, surface) => (params, api) => {
    const [x0, y0] = api.coord([api.value(0), api.value(2)]);
    const [x1, y1] = api.coord([api.value(1), api.value(3)]);
    const box = params.coordSys;
    const x = Math.max(x0, box.x);
    const width = Math.min(Math.max(x1, x0 + 1), box.x + box.width) - x;
    const height = Math.max(y0 - y1, 1);
    if (width <= 0) return null;
    const named = width > LEAST_LABEL.width && height > LEAST_LABEL.height;
    return {
      type: 'rect',
      shape: { x, y: y1, width, height },
      style: { fill: api.visual('color'), opacity: 0.8, stroke: api.visual('color'), lineWidth: 0.5 },
      textContent: named ? { type: 'text', style: { text: blocks[api.value(4)][LABEL], fill: surface, width: width - 6, overflow: 'truncate', fontSize: 11 } } : undefined,
      textConfig: named ? { position: 'inside' } : undefined,
    };
  };
  return chart({
    label: `Addresses of the ${memory.memory} over time`,
    points: memory.blocks.length,
    height: 300,
    option: (colours) => ({
      grid: grid({ bottom: 48, left: 30 }),
      xAxis: { ...valueAxis(`time [${clock.unit}]`, colours, { min: from, max: to }), nameGap: 24 },
      yAxis: { ...valueAxis('address [KiB]', colours, { min: 0, max: capacity ?? undefined }), nameGap: 48 },
      legend: legend(colours, memory.kinds),
      dataZoom: zoom(colours, { bottom: 26 }),
      toolbox: toolbox(colours, `addresses of the ${memory.memory}`),
      tooltip: tooltip(colours, ({ seriesIndex, value }) => {
        const block = series[seriesIndex].blocks[value[4]];
        return h('div', {}, h('strong', {}, block[LABEL]), definitions([
          ['from', clock.both(block[BEGIN])], ['to', clock.both(block[END])], ['address', figure(block[ADDRESS])], ['size', bytes(block[BYTES])]]));
      }),
      series: series.map(({ kind, blocks }, i) => ({
        id: `kind-${i}`, name: kind, type: 'custom', encode: { x: [0, 1], y: [2, 3] }, clip: true, itemStyle: { color: colourOf(kind, i) }, renderItem: render(blocks, colours.surface),
        data: blocks.map((block, b) => [clock.time(block[BEGIN]), clock.time(block[END]), block[ADDRESS] / 1024, (block[ADDRESS] + block[BYTES]) / 1024, b]),
      })),
    }),
  });
}

function memoryCharts(run, memory, clock) {
  const capacity = memory.capacity_bytes === null ? null : memory.capacity_bytes / 1024;
  const range = [clock.time(run.timeline.begin), clock.time(run.timeline.end)];
  const peak = capacity === null ? bytes(memory.peak_bytes)
    : `${bytes(memory.peak_bytes)} of ${bytes(memory.capacity_bytes)} (${percent((100 * memory.peak_bytes) / memory.capacity_bytes, { digits: 1 })})`;
  return h('div', {},
    h('h3', {}, memory.memory[0].toUpperCase() + memory.memory.slice(1)),
    h('p', { class: 'muted' }, `Highest: ${peak}.`,
      memory.blocks.length < memory.allocations && ` The map shows the first ${figure(memory.blocks.length)} of ${figure(memory.allocations)} buffers and tensors.`),
    steps({
      label: `Occupancy of the ${memory.memory} over time`, times: memory.times.map(clock.time), range, unit: 'KiB',
      series: memory.kinds.map((name, k) => ({ name, values: memory.bytes[k].map((value) => value / 1024) })),
      lines: capacity === null ? [] : [{ name: 'capacity', value: capacity, colour: 'guide' }],
      xName: `time [${clock.unit}]`, yName: 'occupied [KiB]', formatX: clock.text, height: 260,
    }).element,
    mapChart(memory, clock, capacity, range).element);
}

export function memorySection(run, clock) {
  if (run.memory.absent) return { element: section('memory', 'Memory occupancy', absent(run.memory.absent)) };
  return {
    element: section('memory', 'Memory occupancy',
      h('p', { class: 'muted' }, 'What the mapping keeps for tensors and buffers (x inputs, w weights, y outputs of the layer that runs). A layer’s buffers are taken while its instructions are at work, ',
        'tensors from their producer’s first to their last consumer’s last cycle.'),
      run.memory.memories.map((memory) => memoryCharts(run, memory, clock))),
  };
}
