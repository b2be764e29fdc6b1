const FILTERS = ['account_id', 'owner', 'sharing', 'status'];

const haystacks = (names, table, length) => {
  const found = new Array(length);
  for (let at = 0; at < length; at++) found[at] = names.map((name) => table[name][at] ?? '').join('\n').toLowerCase();
  return found;
};
let hay = null;
function searchable() {
  const names = (ofLogin) => columns.filter((column) => column.ofLogin === ofLogin).map((column) => column.name);
  hay ??= {
    logins: haystacks(names(true), logins, logins.client.length),
    grants: haystacks(names(false), grants, allRows.length),
  };
  return hay;
}

const orders = new Map();
function ordered(sort, descending) {
  if (!sort) return allRows;
  if (!orders.has(sort)) {
    const column = columnOf.get(sort);
    const table = column.ofLogin ? logins[sort] : grants[sort];
    const key = (raw) => (typeof raw === 'string' ? raw.toLowerCase() : raw);
    const keys = [...new Set(table)].sort((a, b) => {
      if (a === null || b === null) return (a !== null) - (b !== null);
      return key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : a < b ? -1 : 1;
    });
    const rank = new Map(keys.map((each, at) => [each, at]));
    const ranks = allRows.map((row) => rank.get(getters[sort](row)));
    orders.clear(); // one at a time: going back and forth between two columns is rare, memory is not free
    orders.set(sort, {
      false: allRows.toSorted((a, b) => ranks[a] - ranks[b]),
      true: allRows.toSorted((a, b) => ranks[b] - ranks[a]),
    });
  }
  return orders.get(sort)[descending];
}

/** The rows that have all the words somewhere and each filter's value, in the order that was asked for. */
function select({ q, filters, sort, descending }) {
  let rows = ordered(sort, descending);
  for (const [name, wanted] of Object.entries(filters)) {
    const got = getters[name];
    rows = rows.filter((row) => got(row) === wanted);
  }
  const words = q.toLowerCase().split(/\s+/).filter(Boolean);
  if (!words.length) return rows;
  const { logins: byLogin, grants: byGrant } = searchable();
  for (const word of words) {
    const found = byLogin.map((hay) => hay.includes(word));
    rows = rows.filter((row) => found[loginOf[row]] || byGrant[row].includes(word));
  }
  return rows;
}
