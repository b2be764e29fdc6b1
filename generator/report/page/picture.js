const MOST_CLIENTS = 16; // of one account, or of all shared paths: what fits a screen; the others are summed up in one box
const MOST_PATHS = 20;

const rowsByAccount = Map.groupBy(allRows, getters.account_id);
const rank = { other: 0, shared: 1, own: 2 };

function accountLabel(account) {
  const rows = rowsByAccount.get(account);
  const name = value(rows[0], 'account_name');
  return `${account || 'not an account'}${name ? ` ${name}` : ''}`;
}

/** The clients of some rows with what is remarkable about them first. */
function clientsOf(rows) {
  const worst = new Map();
  for (const row of rows) {
    const client = getters.client(row);
    worst.set(client, Math.min(worst.get(client) ?? 2, denied(row) ? 2 : rank[grants.sharing[row]] ?? 0));
  }
  return [...worst.keys()].sort((a, b) => worst.get(a) - worst.get(b));
}

function accountDiagram(account) {
  const rows = rowsByAccount.get(account);
  const clients = clientsOf(rows);
  const named = clients.length > MOST_CLIENTS ? clients.slice(0, MOST_CLIENTS - 1) : clients;
  const rest = clients.length - named.length;
  const nodes = [];
  const edges = new Map();
  const targets = new Map();
  const join = (from, to, kind) => edges.set(`${from}\n${to}`, { from, to, kind });
  const target = (id, label, kind, change) => {
    if (!targets.has(id)) targets.set(id, { id, label, kind, change, column: 2 });
  };
  const rowsOf = Map.groupBy(rows, getters.client);
  // What is shared stands below, and so do those that reach it: fewer lines cross.
  const lines = named.length + (rest ? 1 : 0);
  named.forEach((client, at) => {
    nodes.push({ id: `client ${client}`, column: 1, row: lines - 1 - at, label: rowsOf.get(client).every(denied) ? `${client} (denied)` : client, kind: 'client', change: { client } });
    join('account', `client ${client}`, 'plain');
  });
  const summary = 'others';
  if (rest) {
    nodes.push({ id: summary, column: 1, row: 0, label: counted(rest, 'more client'), kind: 'client', change: narrowed({ account_id: account }) });
    join('account', summary, 'plain');
  }
  const known = new Set(named);
  let left = 0;
  for (const client of clients) {
    for (const row of rowsOf.get(client)) {
      if (denied(row)) continue;
      const kind = grants.sharing[row];
      const from = known.has(client) ? `client ${client}` : summary;
      const path = placeOf(row);
      const id = from === summary && kind === 'own' ? 'own of others' : `path ${path}`;
      if (!targets.has(id) && targets.size >= named.length + MOST_PATHS) { left++; continue; }
      target(id, id === 'own of others' ? 'their own directories' : path, kind, narrowed(id === 'own of others' ? { account_id: account } : {}, id === 'own of others' ? '' : below(path)));
      join(from, id, kind);
    }
  }
  // Own directories stand beside their clients, so that what is shared stands out below them.
  const found = [...targets.values()];
  const placed = [...found.filter((node) => node.kind === 'own').toReversed(), ...found.filter((node) => node.kind !== 'own')];
  placed.forEach((node, at) => nodes.push({ ...node, row: at }));
  nodes.push({ id: 'account', column: 0, row: (lines - 1) / 2, label: accountLabel(account), kind: 'account', change: narrowed({ account_id: account }) });
  const picture = diagram(nodes, [...edges.values()], [{ x: 1, width: 270 }, { x: 340, width: 210 }, { x: 680, width: 500 }], `Account ${accountLabel(account)}`);
  return { picture, clients: clients.length, rest, left };
}

function showAccount(account) {
  const { picture, clients, rest, left } = accountDiagram(account);
  byId('account-picture').replaceChildren(picture);
  const parts = [`${counted(clients, 'client')} in ${accountLabel(account)}.`];
  if (rest) parts.push(`${counted(clients - rest, 'client')} drawn by name, those that reach more than their own directory first.`);
  if (left) parts.push(`${counted(left, 'grant')} not drawn for want of room.`);
  byId('account-summary').textContent = parts.join(' ');
}

function showShared() {
  const rows = allRows.filter((row) => grants.sharing[row] === 'shared' && !denied(row));
  const byPath = Map.groupBy(rows, placeOf);
  const readers = distinct(rows, 'client');
  const place = byId('shared-picture');
  if (!rows.length) {
    byId('shared-summary').textContent = 'No client reaches a shared path.';
    place.hidden = true;
    return;
  }
  byId('shared-summary').textContent = `${counted(readers.length, 'client')} ${readers.length === 1 ? 'reaches' : 'reach'} ${counted(byPath.size, 'shared path')}.`;
  const paths = [...byPath].map(([path, own]) => ({ path, own, clients: distinct(own, 'client') }));
  paths.sort((a, b) => b.clients.length - a.clients.length);
  const change = (path) => narrowed({ sharing: 'shared' }, below(path));
  if (readers.length <= MOST_CLIENTS && paths.length <= MOST_PATHS) {
    const nodes = [
      ...readers.map((client, at) => ({ id: `client ${client}`, column: 0, row: at, label: client, kind: 'client', change: { client } })),
      ...paths.map(({ path }, at) => ({ id: path, column: 1, row: at, label: path, kind: 'shared', change: change(path) })),
    ];
    const edges = paths.flatMap(({ path, clients }) => clients.map((client) => ({ from: `client ${client}`, to: path, kind: 'shared' })));
    place.replaceChildren(diagram(nodes, edges, [{ x: 1, width: 300 }, { x: 520, width: 640 }], 'Clients and the shared paths that they reach'));
    return;
  }
  const lines = paths.slice(0, MOST_PATHS).map(({ path, own, clients }) => ({
    label: path, count: clients.length, change: change(path),
    words: `${counted(clients.length, 'client')} in ${counted(size(own, 'account_id'), 'account')}, owned by ${distinct(own, 'shared_owner').join(', ') || 'nobody named'}`,
  }));
  place.replaceChildren(bars(lines, 'Shared paths by how many clients reach them'));
  if (paths.length > MOST_PATHS) place.append(element('p', {}, `${counted(paths.length - MOST_PATHS, 'more shared path')} with fewer clients.`));
}

/** The account to begin with: the one with the most that is neither own nor shared, then shared, then clients. */
const remarkable = (() => {
  const weights = { other: 1e6, shared: 1e3, own: 1 };
  const weight = new Map();
  for (const row of allRows) {
    const account = getters.account_id(row);
    const more = denied(row) ? 1 : weights[grants.sharing[row]] ?? 1e6;
    weight.set(account, (weight.get(account) ?? 0) + more);
  }
  return [...weight].reduce((best, each) => (each[1] > best[1] ? each : best), [null, 0])[0];
})();
