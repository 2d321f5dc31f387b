// Core cycles as time, in one unit for all axes of a run.
import { figure } from '../../shared/format.js';

const UNITS = [['s', 1e12], ['ms', 1e9], ['µs', 1e6], ['ns', 1e3]];

export function clockOf(run) {
  const period = run.clock_period_ps;
  const length = Math.max(run.simulated_cycles, 1) * period;
  const [unit, picoseconds] = UNITS.find(([, ps]) => length >= 2 * ps) ?? UNITS.at(-1);
  const time = (cycles) => (cycles * period) / picoseconds;
  const text = (inUnit) => `${figure(Number(inUnit.toPrecision(7)))} ${unit}`;
  return { unit, time, text, cycles: (inUnit) => Math.round((inUnit * picoseconds) / period), both: (cycles) => `${figure(cycles)} cycles, ${text(time(cycles))}` };
}
