// Layers under the roofs of the NPU: MACs per cycle against MACs per DRAM byte.
import { chart, grid, legend, logAxis, logRange, toolbox, tooltip } from '../../shared/chart.js';
import { colourOf } from '../../shared/colours.js';
import { definitions, h } from '../../shared/dom.js';
import { figure, withPrefix } from '../../shared/format.js';
import { absent, count, section } from '../../shared/section.js';
import { layerFacts } from './layers.js';

const PATH_NAMES = { dram: 'DRAM', interconnect: 'interconnect', dma: 'DMA, all channels' };
const POINT_SIZES = { least: 7, most: 30 };

const bytesOf = (layer) => layer.dram_read_bytes + layer.dram_write_bytes;

// The types that the run multiplied, by the events of its ledger.
function macRoofs(run) {
  const used = new Set(run.energy.filter((row) => row.count > 0).map((row) => row.event));
  const roofs = run.peaks.macs.filter((roof) => used.has(`mac_${roof.name}`));
  return roofs.length > 0 ? roofs : run.peaks.macs.slice(0, 1);
}

export function rooflineSection(run) {
  const points = run.layers.filter((layer) => layer.macs > 0 && bytesOf(layer) > 0 && layer.cycles > 0)
    .map((layer) => ({ layer, x: layer.macs / bytesOf(layer), y: layer.macs / layer.cycles }));
  const hidden = run.layers.length - points.length;
  const roofs = macRoofs(run);
  if (points.length === 0 || roofs.length === 0) {
    return { element: section('roofline', 'Roofline', absent('No layer has both multiply-accumulates and DRAM traffic.')) };
  }
  const peak = Math.max(...roofs.map((roof) => roof.per_cycle));
  const ridge = run.peaks.bytes.filter((path) => path.per_cycle > 0).map((path) => peak / path.per_cycle);
  const xRange = logRange([...points.map((p) => p.x), ...ridge]);
  const yRange = logRange([...points.map((p) => p.y), ...roofs.map((roof) => roof.per_cycle)]);
  const longest = Math.max(...points.map((p) => p.layer.cycles));
  const size = ({ layer }) => POINT_SIZES.least + (POINT_SIZES.most - POINT_SIZES.least) * Math.sqrt(layer.cycles / longest);
  const bounds = [...new Set(points.map((p) => p.layer.bound_by))];
  let keeps = () => true;
  const dots = () => bounds.map((bound) => ({
    id: `points-${bound}`,
    data: points.filter((p) => p.layer.bound_by === bound && keeps(p.layer.name)).map((p) => ({ name: p.layer.name, value: [p.x, p.y], symbolSize: size(p), point: p })),
  }));
  const gmacs = 1e12 / run.clock_period_ps;

  function pointTooltip({ layer, x, y }) {
    return h('div', {}, h('strong', {}, layer.name), definitions([
      ['intensity', `${figure(x)} MAC/byte`], ['rate', `${figure(y)} MAC/cycle`], ['', withPrefix(y * gmacs, 'MAC/s')], ...layerFacts(run, layer)]));
  }

  function roofLines(colours) {
    const flat = roofs.map((roof) => ({
      name: `${roof.name}, ${figure(roof.per_cycle)} MAC/cycle`, data: [[xRange.min, roof.per_cycle], [xRange.max, roof.per_cycle]], dash: 'solid', colour: colours.text,
    }));
    const slopes = run.peaks.bytes.filter((path) => path.per_cycle > 0).map((path) => {
      const to = Math.min(peak / path.per_cycle, xRange.max);
      const from = Math.max(xRange.min, yRange.min / path.per_cycle);
      return { name: `${PATH_NAMES[path.name] ?? path.name}, ${figure(Number(path.per_cycle.toPrecision(4)))} B/cycle`, data: [[from, from * path.per_cycle], [to, to * path.per_cycle]], dash: 'dashed', colour: colourOf(path.name) };
    }).filter((line) => line.data[0][0] < line.data[1][0]);
    return [...flat, ...slopes].map((line, i) => ({
      id: `roof-${i}`, name: line.name, type: 'line', symbol: 'none', silent: true, z: 1, data: line.data, color: line.colour,
      lineStyle: { color: line.colour, width: 1.6, type: line.dash },
    }));
  }

  const made = chart({
    label: 'Roofline: multiply-accumulates per cycle against multiply-accumulates per DRAM byte, one point per layer, both axes logarithmic',
    points: points.length,
    height: 460,
    option: (colours) => {
      const lines = roofLines(colours);
      return {
        grid: grid({ bottom: 40, left: 34 }),
        xAxis: { ...logAxis('arithmetic intensity [MAC per byte of DRAM]', xRange, colours), nameGap: 28 },
        yAxis: { ...logAxis('rate [MAC/cycle]', yRange, colours), nameGap: 44 },
        legend: legend(colours, [...bounds, ...lines.map((line) => ({ name: line.name, icon: 'path://M0 4H14V6H0Z' }))]),
        toolbox: toolbox(colours, 'roofline', { dataZoom: { filterMode: 'none', title: { zoom: 'zoom into a box', back: 'zoom back' }, brushStyle: { color: colours.guide, opacity: 0.2 } } }),
        tooltip: tooltip(colours, ({ data }) => pointTooltip(data.point)),
        series: [...lines, ...dots().map((dot, i) => ({
          ...dot, name: bounds[i], type: 'scatter', z: 3, itemStyle: { color: colourOf(bounds[i]), opacity: 0.75, borderColor: colours.surface, borderWidth: 1 }, emphasis: { scale: 1.3 },
        }))],
      };
    },
  });
  return {
    element: section('roofline', 'Roofline',
      h('p', { class: 'muted' }, 'One point per layer, its area growing with the layer’s cycles, its colour what bounds it. DRAM bytes are whole bursts that its own instructions moved: ',
        'a layer whose tensors stay on the chip lies far right. Slopes are the rates of DRAM, interconnect and DMA, had every byte to pass them.'),
      made.element,
      hidden > 0 && h('p', { class: 'muted' }, `Not drawn, as logarithmic axes have no 0: ${count(hidden, 'layer')} without multiply-accumulates or without DRAM traffic.`)),
    filter(next) {
      keeps = next;
      made.update({ series: dots() });
    },
  };
}
