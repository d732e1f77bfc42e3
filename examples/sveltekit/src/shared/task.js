import { describeEntity, Fields } from "remult";

export class Task {
  id = 0;
  title = "";
  done = false;
}

describeEntity(
  Task,
  "tasks",
  { id: Fields.autoIncrement(), title: Fields.string(), done: Fields.boolean() },
  { allowApiCrud: true },
);
