import { at } from "../app/url";
import { ButtonLink } from "../kit/controls";
import { PageHead } from "../kit/page";
import { Empty } from "../kit/states";

export function NotFound() {
  return (
    <>
      <PageHead title="No page here" name="No page here" />
      <Empty
        title={`There is no page at ${location.pathname}.`}
        actions={<ButtonLink target={at.home()}>Go to Home</ButtonLink>}
      >
        The address may be of another version, or what it named was removed.
      </Empty>
    </>
  );
}
