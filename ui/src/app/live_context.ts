// The one live connection of this tab, and how pages hear of what they show.
import { useEffect, useSyncExternalStore } from "react";
import { whenSignedOut } from "../api/client";
import { LiveHub, type LiveStatus } from "../api/live";
import { LiveCache } from "../api/live_cache";
import { queryClient } from "../api/queries";

export const liveCache = new LiveCache(queryClient);
let signedOut: () => void = () => {};
export const hub = new LiveHub(() => signedOut());
hub.subscribe((events) => liveCache.take(events));

export function onSignedOut(listener: () => void): void {
  signedOut = listener;
  whenSignedOut(listener);
}

export function useTopics(topics: string[]): void {
  const key = topics.join(",");
  useEffect(() => (key === "" ? undefined : hub.want(key.split(","))), [key]);
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(
    (listener) => hub.onStatus(listener),
    () => hub.status,
  );
}
