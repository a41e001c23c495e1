// The REST client of npm's google-ads-api, unchanged, reads campaigns' numbers from the sandbox; they must be the truth.
'use strict';
const http = require('http');
const https = require('https');

const target = new URL(process.env.GOOGLE_ADS_URL);

// The client knows one host only: what it sends there goes to the sandbox.
https.request = (...given) => {
  const options = given.find((value) => typeof value === 'object' && !(value instanceof URL)) || {};
  const url = typeof given[0] === 'string' ? new URL(given[0]) : given[0] instanceof URL ? given[0] : null;
  const host = url ? url.hostname : options.hostname || options.host;
  if (!/(^|\.)googleapis\.com$/.test(host)) throw new Error(`not for the sandbox: ${host}`);
  const path = url ? url.pathname + url.search : options.path;
  const here = { protocol: 'http:', hostname: target.hostname, host: target.hostname, port: target.port, path };
  return http.request(
    { ...options, ...here, agent: undefined, href: undefined },
    given.find((value) => typeof value === 'function'),
  );
};

const { GoogleAdsApi, enums } = require('google-ads-api');

const SINCE = '2026-10-01';
const UNTIL = '2026-10-31';
const login = process.env.GOOGLE_LOGIN_CUSTOMER_ID;
const api = new GoogleAdsApi({
  client_id: process.env.GOOGLE_CLIENT_ID,
  client_secret: process.env.GOOGLE_CLIENT_SECRET,
  developer_token: 'none is needed',
});
const customerOf = (id) =>
  api.Customer({ customer_id: id, login_customer_id: login, refresh_token: process.env.GOOGLE_REFRESH_TOKEN });

async function read() {
  const clients = await customerOf(login).query(
    "SELECT customer_client.id FROM customer_client WHERE customer_client.manager = FALSE AND " +
      "customer_client.status = 'ENABLED'",
  );
  const rows = [];
  for (const { customer_client: client } of clients) {
    const stream = customerOf(String(client.id)).reportStream({
      entity: 'campaign',
      attributes: ['campaign.id', 'campaign.name'],
      segments: ['segments.date', 'segments.device', 'segments.ad_network_type'],
      metrics: ['metrics.impressions', 'metrics.clicks', 'metrics.cost_micros', 'metrics.conversions'],
      from_date: SINCE,
      to_date: UNTIL,
    });
    for await (const { campaign, segments, metrics } of stream) {
      rows.push(
        [
          client.id,
          campaign.id,
          segments.date,
          enums.Device[segments.device],
          enums.AdNetworkType[segments.ad_network_type],
          metrics.impressions,
          metrics.clicks ?? 0, // zeros are left out
          (metrics.cost_micros ?? 0) / 1e6,
          metrics.conversions ?? 0,
        ].join(),
      );
    }
  }
  return rows.sort();
}

async function truth() {
  const url = `${process.env.SANDBOX_URL}/_sandbox/truth/google_ads/campaign_report.csv?since=${SINCE}&until=${UNTIL}`;
  const [head, ...lines] = (await (await fetch(url)).text()).trim().split('\n');
  const names = head.split(',');
  const wanted = ['customer_id', 'campaign_id', 'segments_date', 'segments_device', 'segments_ad_network_type'];
  const numbers = ['metrics_impressions', 'metrics_clicks', 'metrics_cost', 'metrics_conversions'];
  return lines
    .map((line) => {
      const values = line.split(',');
      const value = (name) => values[names.indexOf(name)];
      return [...wanted.map(value), ...numbers.map((name) => Number(value(name)))].join();
    })
    .sort();
}

async function refused() {
  try {
    await customerOf(login).query('SELECT campaign.nam FROM campaign');
  } catch (error) {
    return JSON.stringify(error.errors?.[0]?.error_code);
  }
  return 'nothing';
}

(async () => {
  const [rows, expected] = [await read(), await truth()];
  const wrong = rows.filter((row, i) => row !== expected[i]);
  console.log(`google-ads-api: ${rows.length} rows, truth ${expected.length}, ${wrong.length} differ`);
  const error = await refused();
  console.log(`an unknown field is refused by ${error}`);
  const is_well = rows.length > 0 && rows.length === expected.length && wrong.length === 0;
  process.exit(is_well && error.includes('query_error') ? 0 : 1);
})().catch((error) => {
  console.error(JSON.stringify(error, Object.getOwnPropertyNames(error)).slice(0, 2000));
  process.exit(1);
});
