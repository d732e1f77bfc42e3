import { createContext } from "preact";
import { useContext } from "preact/hooks";
import type { Connection } from "./s3/connection.ts";
import type { Transfers } from "./transfer/transfers.ts";

/** What every view works with. */
export interface Session {
  connection: Connection;
  transfers: Transfers;
  /** Says something for a moment, also to screen readers. */
  say(message: string): void;
}

export const SessionContext = createContext<Session | undefined>(undefined);

export function useSession(): Session {
  const session = useContext(SessionContext);
  if (session === undefined) throw new Error("this view needs a session");
  return session;
}
