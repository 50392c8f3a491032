/** Browsers that translate a page put elements of their own in place of text; React must still be able to change it. */

/** Let React remove, and insert before, what is no longer where it put it (facebook/react#11538). */
export function tolerateTranslation(): void {
  /* eslint-disable @typescript-eslint/unbound-method -- called with their node */
  const { removeChild, insertBefore } = Node.prototype;
  /* eslint-enable @typescript-eslint/unbound-method */
  Node.prototype.removeChild = function <T extends Node>(this: Node, child: T): T {
    if (child.parentNode === this) return removeChild.call(this, child) as T;
    wrapperOf(child, this)?.remove();
    return child;
  };
  Node.prototype.insertBefore = function <T extends Node>(this: Node, added: T, before: Node | null): T {
    const place = before === null || before.parentNode === this ? before : wrapperOf(before, this);
    return insertBefore.call(this, added, place) as T;
  };
}

/** Return the child of a parent in which a translator has put a node, if it did. */
function wrapperOf(node: Node, parent: Node): ChildNode | null {
  let wrapper = node.parentNode;
  while (wrapper && wrapper.parentNode !== parent) wrapper = wrapper.parentNode;
  return wrapper as ChildNode | null;
}
