// Sections of a report.
import { h } from './dom.js';

export function section(id, title, ...children) {
  return h('section', { id, class: 'part' }, h('h2', {}, title), children);
}

// Where there is nothing to show: why.
export const absent = (why) => h('p', { class: 'absent' }, why);

export const count = (number, noun) => `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;

// Matches of the words of a filter.
export function wordFilter(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (name) => words.every((word) => name.toLowerCase().includes(word));
}
