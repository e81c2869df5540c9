"""How all pages look, beyond Streamlit's theme: what is read on a projector, on a phone, and by keyboard."""

STYLE = """<style>
/* The page begins at its top; Streamlit leaves 6 rem empty there. */
[data-testid="stMainBlockContainer"] { padding-top: 4.2rem; padding-bottom: 3rem; }
[data-testid="stHeading"] h1 { font-size: 2rem; padding: .2rem 0 .5rem; }
[data-testid="stHeading"] h2 { font-size: 1.5rem; padding: .6rem 0 .3rem; }
[data-testid="stHeading"] h3 { font-size: 1.25rem; padding: .4rem 0 .2rem; }
/* Quiet text is Streamlit's at 60 % of its strength: not read on a projector. */
[data-testid="stCaptionContainer"], [data-testid="stCaptionContainer"] p { opacity: 1; color: inherit; }
[data-testid="stWidgetLabel"] p, [data-testid="stImageCaption"] { color: inherit; opacity: 1; }
[data-testid="stMarkdown"] blockquote, [data-testid="stMarkdown"] blockquote p { opacity: 1; color: inherit; }
/* What is chosen: white on a blue that both themes' words stand out from. */
[data-testid="stMultiSelect"] :has(> span[title]) { background-color: #005A8C !important; color: #fff !important; }
/* What is being looked at again stays as it is: the live page would fade every three seconds. */
[data-stale="true"] { opacity: 1 !important; }
/* What is long breaks, so that a phone scrolls down alone. */
[data-testid="stMarkdown"], [data-testid="stCaptionContainer"] { overflow-wrap: anywhere; }
:focus-visible { outline: 3px solid #0072B2; outline-offset: 2px; }
ul.lectern-cards { list-style: none; padding: 0 !important; margin: 0 !important; display: grid; gap: .75rem;
  grid-template-columns: repeat(auto-fill, minmax(min(100%, 30rem), 1fr)); }
.lectern-cards > li { border: 1px solid rgba(128,128,128,.45); border-radius: .5rem; padding: .7rem .9rem; margin: 0;
  overflow-wrap: anywhere; }
.lectern-cards h3 { font-size: 1.05rem; line-height: 1.35; margin: .25rem 0 .35rem; padding: 0; font-weight: 600; }
.lectern-cards p { margin: .2rem 0; font-size: .95rem; line-height: 1.45; }
.lectern-cards summary { cursor: pointer; }
.lectern-level { font-weight: 700; font-size: .9rem; border: 1px solid currentColor; border-radius: .35rem; padding: 0 .4rem; }
.lectern-cards a, .lectern-cards a:visited { color: inherit; text-decoration: underline; }
.lectern-not-run { width: 100%; border-collapse: collapse; font-size: .95rem; }
.lectern-not-run th, .lectern-not-run td { text-align: left; vertical-align: top; padding: .3rem .5rem;
  border-top: 1px solid rgba(128,128,128,.45); overflow-wrap: anywhere; }
</style>"""
