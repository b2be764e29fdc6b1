// One client in full: each of its logins, what that reaches, and who else reaches the same.
const loginColumns = columns.filter((column) => column.ofLogin && column.name !== 'client');

function readersOf(path, except) {
  return size(allRows.filter((row) => grants.path[row] === path && !denied(row) && getters.client(row) !== except), 'client');
}

function facts(row) {
  const list = element('dl', { class: 'facts' });
  for (const column of loginColumns) {
    list.append(element('div', {}, element('dt', {}, column.label), element('dd', {}, cellContent(row, column))));
  }
  return list;
}

function reached(rows) {
  const list = element('ul', { class: 'reached' });
  for (const row of rows) {
    const path = grants.path[row];
    const item = element('li', {}, code(path), ' ', cellContent(row, columnOf.get('sharing')));
    const others = readersOf(path, value(row, 'client'));
    const where = `${logins.file[loginOf[row]]}:${grants.line[row]}`;
    item.append(element('p', {}, text(row, 'capabilities'), ' in ', code(where)));
    if (grants.shared_owner[row]) item.append(element('p', {}, `Owned by ${grants.shared_owner[row]}`));
    if (others) item.append(element('p', {}, link(narrowed({}, path), `${counted(others, 'other client')} ${others === 1 ? 'has' : 'have'} the same path`)));
    list.append(item);
  }
  return list;
}

function showClient(client) {
  const dialog = byId('client');
  if (!client) {
    if (dialog.open) dialog.close();
    return;
  }
  const rows = allRows.filter((row) => getters.client(row) === client);
  const close = element('button', { type: 'button', class: 'close' }, 'Close');
  close.addEventListener('click', () => dialog.close());
  const parts = [element('div', { class: 'head' }, element('h2', { id: 'client-heading' }, client), close)];
  if (!rows.length) parts.push(element('p', {}, 'No client of this name has a grant in the reviewed tree.'));
  const byLogin = Map.groupBy(rows, (row) => loginOf[row]);
  for (const [, own] of byLogin) {
    if (byLogin.size > 1) parts.push(element('h3', {}, text(own[0], 'principal_arn'), ' by ', text(own[0], 'policy')));
    parts.push(element('h3', {}, own.every(denied) ? 'Is denied' : 'Reaches'), reached(own), element('h3', {}, 'Login'), facts(own[0]));
  }
  const accounts = distinct(rows, 'account_id');
  if (rows.length) {
    parts.push(element('p', { class: 'ways' },
      link(narrowed({ account_id: accounts[0] }), 'All grants in its account'), ' ',
      link({ client: '', drawn: accounts[0], reveal: 'picture' }, 'Picture of its account')));
  }
  dialog.replaceChildren(...parts);
  if (!dialog.open) dialog.showModal();
  dialog.scrollTop = 0;
}
