// One colour per thing on all charts of a page: custom properties --c-<name> of page.css.
import { cssValue } from './dom.js';

const NAMED = {
  mac_array: 'blue', vector_unit: 'green', dram: 'orange', dma: 'purple', scratchpad: 'cyan', accumulator: 'pink',
  sequencer: 'grey', interconnect: 'ochre', latency: 'grey', layers: 'grey', mac_array_weights: 'cyan',
  // cycle buckets and causes
  busy: 'blue', fill_drain: 'cyan', wait_dependency: 'pale', wait_bank: 'pink', bank_conflict: 'pink', wait_dram: 'orange',
  dram_bandwidth: 'orange', dram_latency: 'ochre', wait_interconnect: 'green', wait_outstanding: 'purple', outstanding: 'purple',
  row_miss: 'red', refresh: 'brown', stall_full: 'grey', queue_full: 'grey', idle: 'faint', dispatch: 'purple', fetch: 'green',
  tail: 'brown', stream_latency: 'pink',
  // on-chip memory
  tensors: 'blue', x: 'green', w: 'orange', y: 'cyan', params: 'purple', sums: 'blue', bounce: 'pink', other: 'grey',
  // classes of sources
  measured: 'green', published: 'blue', derived: 'cyan', assumed: 'ochre', placeholder: 'red',
};
const CYCLE = ['blue', 'orange', 'green', 'purple', 'cyan', 'pink', 'ochre', 'red', 'brown', 'grey'];

// A colour by its name in page.css.
export const named = (name) => cssValue(`--c-${name}`);

// The colour of a thing; of one that has none of its own, the colour of its place in the list.
export function colourOf(name, index = 0) {
  const known = Object.hasOwn(NAMED, name) ? NAMED[name] : null;
  if (known !== null) return named(known);
  const family = Object.keys(NAMED).find((key) => /^(dma|dram)$/.test(key) && new RegExp(`^${key}\\d+$`).test(name));
  return named(family ? NAMED[family] : CYCLE[index % CYCLE.length]);
}

export const cycleColour = (index) => named(CYCLE[index % CYCLE.length]);
