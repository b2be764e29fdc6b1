const source = JSON.parse(document.getElementById('review').textContent);
const columns = source.columns.map(([name, label, kind, empty, ofLogin, shown]) => ({ name, label, kind, empty, ofLogin, shown }));
const columnOf = new Map(columns.map((column) => [column.name, column]));

const unpacked = (column) => (Array.isArray(column) ? column : column.at.map((at) => column.of[at]));
const tableOf = (table) => Object.fromEntries(Object.entries(table).map(([name, column]) => [name, unpacked(column)]));
const logins = tableOf(source.logins);
const grants = tableOf(source.grants);
const loginOf = source.login;
const allRows = loginOf.map((_, row) => row);

/** A function from row to the column's value; for loops over all rows, where looking the column up each time is felt. */
const getter = (name) => {
  const table = columnOf.get(name).ofLogin ? logins[name] : grants[name];
  return columnOf.get(name).ofLogin ? (row) => table[loginOf[row]] : (row) => table[row];
};
const getters = Object.fromEntries(columns.map(({ name }) => [name, getter(name)]));
const value = (row, name) => getters[name](row);

function duration(seconds) {
  const units = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]];
  const parts = [];
  for (const [unit, length] of units) {
    const whole = Math.floor(seconds / length);
    if (whole) parts.push(`${whole} ${unit}`);
    seconds -= whole * length;
  }
  return parts.join(' ') || '0 s';
}

function text(row, name) {
  const column = columnOf.get(name);
  const raw = value(row, name);
  if (raw === null || raw === '') return column.empty;
  return column.kind === 'duration' ? duration(raw) : String(raw);
}

const number = (count) => String(count).replace(/\B(?=(\d{3})+$)/g, ',');
const counted = (count, one, many = `${one}s`) => `${number(count)} ${count === 1 ? one : many}`;
const distinct = (rows, name) => [...new Set(rows.map(getters[name]))];
const size = (rows, name) => new Set(rows.map(getters[name])).size;

// A suspended client's rows are its denials: a rule that denies reaches nothing.
const denied = (row) => grants.capabilities[row].split(', ').includes('deny');

// KV version 2 has each directory twice, which a reader takes for one: where a client reaches both, both are one place.
const directory = (path) => path.replace(/\/(data|metadata)\//, '/{data,metadata}/');
const pathsOf = new Map();
for (const row of allRows) {
  const key = `${getters.client(row)}\n${directory(grants.path[row])}`;
  if (!pathsOf.has(key)) pathsOf.set(key, new Set());
  pathsOf.get(key).add(grants.path[row]);
}
function placeOf(row) {
  const path = grants.path[row];
  const whole = directory(path);
  return pathsOf.get(`${value(row, 'client')}\n${whole}`).size > 1 ? whole : path;
}
const below = (path) => path.replace(/^.*?\/(\{data,metadata\}|data|metadata)\//, '');
