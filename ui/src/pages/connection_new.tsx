export function NewConnection() {
  return null;
}
