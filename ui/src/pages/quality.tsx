export function Quality() {
  return null;
}
export function Anomalies() {
  return null;
}
