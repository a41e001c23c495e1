// Reads the sandbox of X with the client twitter-ads for Node, unchanged, and compares what it read with the truth. Run
// by clients_test.py, in the environment that `shaduf sandbox -- ...` gives.
const zlib = require('zlib');
const hosts = require('./vendor_hosts');
const TwitterAds = require('twitter-ads');

const SINCE = '2026-11-10';
const UNTIL = '2026-11-14';

function client(secret) {
  return new TwitterAds({consumer_key: process.env.X_CONSUMER_KEY, consumer_secret: process.env.X_CONSUMER_SECRET,
    access_token: process.env.X_ACCESS_TOKEN, access_token_secret: secret, sandbox: false, api_version: '12'});
}

function call(api, verb, path, params) {
  return new Promise((resolve, reject) => {
    api[verb](path, params, (error, response, body) => (error ? reject(error) : resolve(body)));
  });
}

async function all(api, path, params) {
  const rows = [];
  for (let cursor; ;) {
    const page = await call(api, 'get', path, cursor ? {...params, cursor} : {...params});
    rows.push(...page.data);
    cursor = page.next_cursor;
    if (!cursor) return rows;
  }
}

// One line a row with impressions, as the truth has them.
function statsLines(account, answer) {
  const lines = [];
  for (const entity of answer.data) {
    const {metrics} = entity.id_data[0];
    for (let i = 0; i < answer.time_series_length; ++i) {
      const at = (name) => (metrics[name] ? metrics[name][i] : 0);
      const date = new Date(Date.parse(SINCE) + i * 86400000).toISOString().slice(0, 10);
      if (at('impressions') > 0) {
        lines.push([account, date, entity.id, at('impressions'), at('clicks'),
          (at('billed_charge_local_micro') / 1e6).toFixed(6)].join('|'));
      }
    }
  }
  return lines;
}

async function main() {
  await hosts.start(['ads-api.twitter.com']);
  const api = client(process.env.X_ACCESS_TOKEN_SECRET);
  const accounts = await all(api, 'accounts', {count: 2});
  const campaigns = [];
  const now = [];
  const later = [];
  for (const {id} of accounts) {
    const found = await all(api, `accounts/:account_id/campaigns`, {account_id: id, count: 2, with_deleted: true});
    campaigns.push(...found.map((row) => [id, row.id, row.entity_status, row.deleted].join('|')));
    const params = {account_id: id, entity: 'CAMPAIGN', entity_ids: found.map((row) => row.id), start_time: SINCE,
      end_time: '2026-11-15', granularity: 'DAY', metric_groups: ['ENGAGEMENT', 'BILLING'], placement: 'ALL_ON_TWITTER'};
    now.push(...statsLines(id, await call(api, 'get', 'stats/accounts/:account_id', params)));
    const job = await call(api, 'post', 'stats/jobs/accounts/:account_id', params);
    const states = await all(api, 'stats/jobs/accounts/:account_id', {account_id: id, job_ids: [job.data.id_str]});
    const file = await fetch(states[0].url.replace(/^https?:\/\/[^/]*/, process.env.SANDBOX_URL));
    later.push(...statsLines(id, JSON.parse(zlib.gunzipSync(Buffer.from(await file.arrayBuffer())))));
  }
  hosts.check('campaigns', campaigns, (await hosts.truth('x_ads/campaigns', SINCE, UNTIL)).map(
    (row) => [row.account_id, row.id, row.entity_status, row.deleted].join('|')));
  const stats = (await hosts.truth('x_ads/campaign_stats', SINCE, UNTIL))
    .filter((row) => row.placement === 'ALL_ON_TWITTER')
    .map((row) => [row.account_id, row.date, row.entity_id, row.impressions, row.clicks,
      Number(row.billed_charge).toFixed(6)].join('|'));
  hosts.check('statistics', now, [...stats]);
  hosts.check('statistics of jobs', later, [...stats]);
  try {
    await call(client('wrong'), 'get', 'accounts', {});
    hosts.fail('a wrong secret was taken');
  } catch (error) {
    if (!String(error.message).includes('signature does not match')) hosts.fail(`a wrong secret: ${error.message}`);
  }
  process.exit(0);
}

main().catch((error) => hosts.fail(error.stack));
