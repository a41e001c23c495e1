// Reads the sandbox of CleverTap with its own client for Node, unchanged, and compares what it read with the truth. Run
// by clients_test.py, in the environment that `shaduf sandbox -- ...` gives.
const hosts = require('./vendor_hosts');
const clevertap = require('clevertap');

const SINCE = '2026-11-10';
const UNTIL = '2026-11-12';
const PROJECT = process.env.CLEVERTAP_ACCOUNT_ID;
const DAYS = {from: 20261110, to: 20261112};

async function main() {
  await hosts.start(['eu1.api.clevertap.com']);
  const api = clevertap.init(PROJECT, process.env.CLEVERTAP_PASSCODE, clevertap.REGIONS.EUROPE);
  const own = (rows) => rows.filter((row) => row.account_id === PROJECT);

  for (const event of ['Charged', 'App Launched']) {
    const records = await api.events({event_name: event, ...DAYS}, {batchSize: 7});
    hosts.check(event, records.map((one) => [one.ts, one.profile.identity, one.profile.objectId].join('|')),
      own(await hosts.truth(`clevertap/${encodeURIComponent(event)}`, SINCE, UNTIL)).map(
        (row) => [row.ts, row.profile__identity, row.profile__object_id].join('|')));
  }

  const charged = own(await hosts.truth('clevertap/Charged', SINCE, UNTIL));
  const profiles = await api.profiles({event_name: 'Charged', ...DAYS}, {batchSize: 10});
  hosts.check('profiles', profiles.map((one) => one.identity),
    [...new Set(charged.map((row) => row.profile__identity))]);

  const {count} = await api.getEventsCount({event_name: 'Charged', ...DAYS});
  hosts.check('count', [String(count)], [String(charged.length)]);

  const sent = own(await hosts.truth('clevertap/campaigns', '2010-01-01', UNTIL));
  const found = [];
  for (const day of new Set(sent.map((row) => Number(row.date.replaceAll('-', ''))))) {
    const {targets} = await api.targets(api.TARGET_LIST, {from: day, to: day});
    found.push(...targets.map((one) => String(one.id)));
  }
  hosts.check('campaigns', found, sent.map((row) => row.id));

  const uploaded = await api.upload([{type: 'event', identity: 'u', evtName: 'Charged', evtData: {Amount: 1}}]);
  hosts.check('upload', [`${uploaded.status} ${uploaded.processed}`], ['success 1']);

  const refused = await clevertap.init(PROJECT, 'wrong', clevertap.REGIONS.EUROPE).getEventsCount({event_name: 'Charged'});
  hosts.check('a wrong passcode', [refused.status], ['fail']);
  process.exit(0);
}

main().catch((error) => hosts.fail(error.stack));
