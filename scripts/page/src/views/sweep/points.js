// What all parts of a sweep's page say of a point and of a quantity.
import { figure, titleWithUnit } from '../../shared/format.js';

const text = (value) => (typeof value === 'number' ? figure(value) : value === null || value === undefined ? '–' : String(value));

// Parameters and metrics as columns: {key, title, isMetric, isNumber, values (of a parameter), of(point), text(point), better}.
export function columnsOf(data) {
  const parameters = data.parameters.map((parameter) => ({
    key: parameter.key, title: parameter.key, isMetric: false, values: parameter.values.map(String),
    isNumber: parameter.values.every((value) => typeof value === 'number'),
    of: (point) => (Object.hasOwn(point.parameters, parameter.key) ? point.parameters[parameter.key] : null),
  }));
  const metrics = data.metrics.map((metric) => ({
    key: metric.name, title: titleWithUnit(metric.label, metric.unit), label: metric.label, isMetric: true, isNumber: true, better: metric.better,
    of: (point) => (point.metrics && Object.hasOwn(point.metrics, metric.name) ? point.metrics[metric.name] : null),
  }));
  return [...parameters, ...metrics].map((column) => ({ ...column, text: (point) => text(column.of(point)) }));
}

export const isDone = (point) => point.status === 'done';

export function facts(point, columns) {
  return [
    ['model', point.model], ...columns.map((column) => [column.title, column.text(point)]),
    ['bound by', point.bound_by ?? '–'], ['on the front', point.pareto ? 'yes' : 'no'],
  ];
}

// Points that no other one beats in both columns, by growing x.
export function front(points, x, y) {
  const sign = (column) => (column.better === 'more' ? -1 : 1);
  const ordered = points.filter((p) => typeof x.of(p) === 'number' && typeof y.of(p) === 'number')
    .sort((a, b) => sign(x) * (x.of(a) - x.of(b)) || sign(y) * (y.of(a) - y.of(b)));
  let best = Infinity;
  return ordered.filter((point) => {
    const value = sign(y) * y.of(point);
    if (value >= best) return false;
    best = value;
    return true;
  });
}
