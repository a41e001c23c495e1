// Who is signed in, and what they may do. Actions that one lacks the role for are shown, with the reason.
import { useQuery } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext } from "react";
import { me } from "../api/queries";
import type { Me, Role } from "../api/types";

const kOrder: Role[] = ["nobody", "viewer", "editor", "operator", "admin"];
export const mayAs = (held: Role, needed: Role): boolean => kOrder.indexOf(held) >= kOrder.indexOf(needed);

const MeContext = createContext<Me | null>(null);
export const MeProvider = ({ value, children }: { value: Me; children: ReactNode }) => (
  <MeContext.Provider value={value}>{children}</MeContext.Provider>
);
export function useMe(): Me {
  const held = useContext(MeContext);
  const query = useQuery({ ...me(), enabled: held === null });
  return held ?? query.data ?? { name: "", role: "nobody", needs_sign_in: true };
}

// Why one may not, or null: for the `why` of a button.
export function useWhyNot(needed: Role, act: string): string | null {
  const { role } = useMe();
  return mayAs(role, needed) ? null : `You may see this, not ${act}. Role needed: ${needed}; yours: ${role}.`;
}
