// Drawings on canvases read `themed.count`, so that they are drawn anew when the colors change.

export const themed = $state({ count: 0 })

new MutationObserver(() => themed.count++).observe(document.documentElement, { attributeFilter: ['data-theme'] })
