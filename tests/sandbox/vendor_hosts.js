// For clients that know no other address than their vendor's: inside this process, TLS connections to the vendor's hosts
// lead to a door on loopback that has a certificate for them, made for this run, and passes requests on to the sandbox.
// The client is as it was installed, and checks the certificate.
const childProcess = require('child_process');
const fs = require('fs');
const http = require('http');
const https = require('https');
const os = require('os');
const path = require('path');
const tls = require('tls');

const SKIPPED = 77;

function makeCertificate(hosts) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'shaduf-hosts-'));
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => path.join(folder, name));
  try {
    childProcess.execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
      '-days', '2', '-keyout', key, '-out', cert, '-subj', '/CN=sandbox', '-addext',
      'subjectAltName=' + hosts.map((host) => `DNS:${host}`).join(',')], {stdio: 'ignore'});
    return {key: fs.readFileSync(key), cert: fs.readFileSync(cert)};
  } catch (error) {
    console.log(`skipped: no certificate can be made: ${error.message}`);
    process.exit(SKIPPED);
  } finally {
    fs.rmSync(folder, {recursive: true});
  }
}

function passOn(request, response) {
  const target = new URL(process.env.SANDBOX_URL);
  const options = {host: target.hostname, port: target.port, path: request.url, method: request.method,
    headers: request.headers};
  const onward = http.request(options, (answer) => {
    response.writeHead(answer.statusCode, answer.rawHeaders);
    answer.pipe(response);
  });
  onward.on('error', () => response.destroy());
  request.pipe(onward);
}

exports.start = async (hosts) => {
  const identity = makeCertificate(hosts);
  const door = https.createServer(identity, passOn);
  await new Promise((ready) => door.listen(0, '127.0.0.1', ready));
  door.unref();
  const connect = tls.connect;
  tls.connect = (options, ...more) => {
    if (!hosts.includes(options.host)) return connect(options, ...more);
    return connect({...options, host: '127.0.0.1', port: door.address().port, servername: options.host,
      ca: identity.cert}, ...more);
  };
};

exports.fail = (message) => {
  console.error(message);
  process.exit(1);
};

exports.truth = async (stream, since, until) => {
  const answer = await fetch(`${process.env.SANDBOX_URL}/_sandbox/truth/${stream}.csv?since=${since}&until=${until}`);
  const [names, ...rows] = (await answer.text()).trim().split('\n').map((line) => line.split(','));
  return rows.map((values) => Object.fromEntries(values.map((value, i) => [names[i], value])));
};

// Both lists, sorted, must be the same.
exports.check = (what, found, expected) => {
  if (expected.length === 0) exports.fail(`${what}: the truth has no rows, so nothing is compared`);
  found.sort();
  expected.sort();
  const differing = expected.findIndex((line, i) => line !== found[i]);
  if (found.length !== expected.length || differing >= 0) {
    exports.fail(`${what}: ${found.length} rows, expected ${expected.length}; found ${found[differing]}, ` +
                 `expected ${expected[differing]}`);
  }
  console.log(`${what}: ${found.length} rows, as the truth has them`);
};
