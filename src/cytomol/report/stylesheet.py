"""The style of reports: light, dark, narrow and on paper."""

from __future__ import annotations

from cytomol.report.palette import style_variables

__all__ = ["style_sheet"]

_RULES = """
*{box-sizing:border-box}
html{scroll-behavior:smooth;-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);
font:16px/1.6 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.skip{position:absolute;left:-999rem}
.skip:focus{left:1rem;top:1rem;background:var(--paper);padding:.5rem 1rem;z-index:2}
.sheet{max-width:72rem;margin:0 auto;padding:2.5rem 1.5rem 5rem}
header,main{max-width:54rem}
h1{font-size:1.9rem;line-height:1.2;margin:0;overflow-wrap:anywhere}
h2{font-size:1.3rem;line-height:1.3;margin:3.5rem 0 .75rem;padding-top:.5rem;border-top:1px solid var(--line)}
h3{font-size:1.02rem;margin:2rem 0 .5rem;overflow-wrap:anywhere}
p,ul,dl{margin:.5rem 0 1rem;max-width:42rem;overflow-wrap:anywhere}
p.said{font-size:1.12rem;font-weight:600}
.quiet,figcaption,caption{color:var(--quiet);font-size:.875rem;line-height:1.5}
a{color:var(--link);text-underline-offset:.15em}
:focus-visible{outline:3px solid var(--link);outline-offset:2px;border-radius:2px}
nav{margin:2rem 0 0;font-size:.9rem}
nav ol{list-style:none;margin:0;padding:0;columns:2;column-gap:2rem;max-width:42rem}
nav li{padding:.1rem 0;break-inside:avoid}
nav a{text-decoration:none}nav a:hover{text-decoration:underline}
.wide{overflow-x:auto;margin:1rem 0 1.5rem}
table{border-collapse:collapse;font-size:.9rem;line-height:1.45;font-variant-numeric:tabular-nums}
caption{text-align:left;padding:0 0 .5rem;max-width:min(42rem,calc(100vw - 2rem))}
th,td{padding:.3rem 1.1rem .3rem 0;text-align:left;vertical-align:top;border-bottom:1px solid var(--line)}
thead th{color:var(--quiet);font-weight:600;border-bottom-color:var(--quiet);vertical-align:bottom}
tbody th{font-weight:600;overflow-wrap:anywhere;min-width:6rem}
td.number,th.number{text-align:right;white-space:nowrap}td.short{white-space:nowrap}td.long{min-width:11rem}
td small{display:block;color:var(--quiet);font-size:.8125rem}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1.2rem;font-size:.95rem}
dt{color:var(--quiet)}dd{margin:0;overflow-wrap:anywhere}
pre{background:var(--faint);padding:.8rem 1rem;overflow-x:auto;font-size:.85rem;line-height:1.5;
border-radius:4px}
code,pre{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
figure{margin:1rem 0 1.5rem}
figure>svg{display:block;max-width:100%;height:auto}
svg text{font-family:inherit}
figcaption{margin-top:.5rem;max-width:42rem}
.row{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,20rem),1fr));gap:0 2rem;
align-items:start}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,23.5rem),1fr));gap:1.2rem;
list-style:none;padding:0;margin:1rem 0 1.5rem;max-width:none}
.cards.small{grid-template-columns:repeat(auto-fill,minmax(min(100%,15.5rem),1fr))}
.card{border:1px solid var(--line);border-radius:4px;padding:.9rem 1rem;break-inside:avoid;font-size:.9rem}
.card h4{margin:0 0 .4rem;font-size:.95rem;overflow-wrap:anywhere}
.card .pair{display:grid;grid-template-columns:1fr 1fr;gap:.8rem}
.card figure{margin:0}.card svg{width:100%}
.card p{margin:.4rem 0 0;font-size:.875rem;line-height:1.45}
details{margin:1rem 0}summary{cursor:pointer;color:var(--link)}
footer{margin-top:4rem;max-width:42rem}
"""

_WIDE = """
@media (min-width:78rem){
.sheet{max-width:78rem;display:grid;grid-template-columns:13rem minmax(0,54rem);column-gap:3.5rem}
header,main,footer{grid-column:2}
nav{grid-column:1;grid-row:1/span 3;position:sticky;top:2.5rem;align-self:start;margin:0;
max-height:calc(100vh - 5rem);overflow-y:auto}
nav ol{columns:1}nav li{padding:.2rem 0}
}
"""

_NARROW = """
@media (max-width:34rem){
.sheet{padding:1.25rem 1rem 3rem}h1{font-size:1.5rem}h2{margin-top:2.5rem}nav ol{columns:1}
dl{grid-template-columns:1fr;gap:0}dd{margin-bottom:.5rem}th,td{padding-right:.8rem}
}
"""

_PRINT = """
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
@media print{
body{font-size:10.5pt}.sheet{display:block;max-width:none;padding:0}nav,.skip{display:none}
header,main{max-width:none}h2{margin-top:1.6rem}h2,h3,h4,caption{break-after:avoid}
table{font-size:8.5pt}th,td{padding-right:.5rem}td small{font-size:7pt}
td.long{min-width:0}tbody th{min-width:4.5rem}
figure,.card,tr{break-inside:avoid}.wide{overflow:visible}pre{white-space:pre-wrap}
.row{grid-template-columns:1fr 1fr}.cards{grid-template-columns:1fr 1fr}a{color:inherit}
}
"""


def style_sheet() -> str:
    """Return the style of a page: dark where the reader's system is, light otherwise and on paper.

    Examples
    --------
    >>> "prefers-color-scheme:dark" in style_sheet()
    True
    """
    light, dark = style_variables(dark=False), style_variables(dark=True)
    schemes = (
        f":root{{color-scheme:light dark;{light}}}\n"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{dark}}}}}\n"
    )
    return schemes + (_RULES + _WIDE + _NARROW + _PRINT).replace("\n\n", "\n")
