-- The style of an HTML report: light and dark, narrow and wide, screen and paper. It is allowed by
-- its digest: whatever is changed here, the page's policy follows.
-- SPDX-License-Identifier: Apache-2.0
return [[
:root{color-scheme:light dark;--bg:#f5f6f8;--card:#fff;--ink:#1b2330;--soft:#566074;--line:#dde1e8;
--accent:#2456c7;--chip:#eceff4;--risky:#b3202c;--risky-bg:#fcebec;--below_threshold:#955000;
--below_threshold-bg:#fdf1dd;--clean:#1b7340;--clean-bg:#e6f5ec;--unknown:#4f5b70;
--unknown-bg:#eceff4;--not_checked:#6a3fa8;--not_checked-bg:#f2ebfb;--track:#e6e9ef}
@media screen and (prefers-color-scheme:dark){:root{--bg:#10141b;--card:#181e28;--ink:#e7ebf2;
--soft:#a3aec0;--line:#2c3543;--accent:#8fb2ff;--chip:#252d3a;--risky:#ff8a90;--risky-bg:#41191f;
--below_threshold:#f2b45c;--below_threshold-bg:#3a2a12;--clean:#6fd59a;--clean-bg:#143322;
--unknown:#b3bdcd;--unknown-bg:#272f3c;--not_checked:#c8a8f7;--not_checked-bg:#2e2144;
--track:#2a3240}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--bg);color:var(--ink);line-height:1.5;
font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans","Helvetica Neue",Arial,sans-serif}
main,.top>div,footer{max-width:68rem;margin:0 auto;padding:0 1.25rem}
.top{background:var(--card);border-bottom:1px solid var(--line);padding:1.75rem 0 1.5rem}
.brand{margin:0;color:var(--soft);font-size:.8rem;letter-spacing:.08em;text-transform:uppercase}
h1{margin:.1rem 0 .5rem;font-size:1.9rem;line-height:1.2;overflow-wrap:anywhere}
h2{margin:2.25rem 0 .75rem;font-size:1.25rem;line-height:1.3}
h3{margin:0 0 .75rem;font-size:1rem}
h4{margin:1rem 0 .35rem;font-size:.95rem}
p{margin:.4rem 0;overflow-wrap:anywhere}
a{color:var(--accent)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
.lead{font-size:1.2rem;margin:.25rem 0 .9rem;padding-left:1.1rem;
border-left:.3rem solid var(--unknown)}
.lead.risky{border-color:var(--risky)}.lead.clean{border-color:var(--clean)}
.lead.not_checked{border-color:var(--not_checked)}
.lead.below_threshold{border-color:var(--below_threshold)}
.soft,small{color:var(--soft)}
small{font-size:.85rem;font-weight:400}
.chips{display:flex;flex-wrap:wrap;gap:.4rem;margin:0;padding:0;list-style:none}
.chips li{background:var(--chip);border-radius:1rem;padding:.1rem .7rem;font-size:.85rem;
overflow-wrap:anywhere}
.pill{display:inline-block;white-space:nowrap;border-radius:1rem;padding:.05rem .6rem;
font-size:.8rem;font-weight:600;color:var(--unknown);background:var(--unknown-bg)}
.pill.risky{color:var(--risky);background:var(--risky-bg)}
.pill.below_threshold{color:var(--below_threshold);background:var(--below_threshold-bg)}
.pill.clean{color:var(--clean);background:var(--clean-bg)}
.pill.not_checked{color:var(--not_checked);background:var(--not_checked-bg)}
code{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;
font-size:.9em;overflow-wrap:anywhere;word-break:break-word}
.box{background:var(--card);border:1px solid var(--line);border-radius:.6rem;padding:1rem 1.15rem;
margin:0 0 1rem;min-width:0}
.pair{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:1rem;margin-top:1.5rem}
.pair .box{margin:0}
svg{display:block;width:100%}
.stack{height:1.5rem;border-radius:.3rem}
.bar{height:.8rem;border-radius:.2rem}
.track{fill:var(--track)}.mark{fill:var(--ink)}.part{fill:var(--accent)}
.risky{fill:var(--risky)}.below_threshold{fill:var(--below_threshold)}.clean{fill:var(--clean)}
.unknown{fill:var(--unknown)}.not_checked{fill:var(--not_checked)}
.legend{list-style:none;margin:.8rem 0 0;padding:0;font-size:.92rem}
.legend li{display:flex;gap:.55rem;align-items:baseline;padding:.12rem 0}
.legend svg{width:.75rem;height:.75rem;flex:none}
.legend b{min-width:1.4rem;text-align:right;font-variant-numeric:tabular-nums}
.big{font-size:1.9rem;font-weight:650;line-height:1.2;margin:0}
.bars{display:grid;grid-template-columns:minmax(0,3fr) minmax(4rem,2fr) auto;gap:.45rem .9rem;
align-items:center;margin:0}
.bars>span:nth-child(3n){font-variant-numeric:tabular-nums;white-space:nowrap;text-align:right}
.insight{border-left:.25rem solid var(--unknown);padding:.1rem 0 .1rem .8rem;margin:.6rem 0}
.insight.warn{border-color:var(--below_threshold)}.insight.error{border-color:var(--risky)}
.tools{display:flex;flex-wrap:wrap;gap:.6rem;align-items:center;margin:0 0 .8rem}
[hidden]{display:none!important}
.tools input,.tools select{font:inherit;color:inherit;background:var(--card);min-width:0;
border:1px solid var(--soft);border-radius:.4rem;padding:.35rem .6rem}
.tools input{flex:1 1 14rem}
button{font:inherit;color:inherit;cursor:pointer}
.copy{border:1px solid var(--line);background:var(--chip);border-radius:.35rem;margin-left:.4rem;
padding:0 .45rem;font-size:.75rem;line-height:1.5;font-weight:400;vertical-align:.05em}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{text-align:left;vertical-align:top;padding:.5rem .7rem;border-bottom:1px solid var(--line);
overflow-wrap:anywhere}
thead th{color:var(--soft);font-size:.8rem;font-weight:600;white-space:nowrap}
thead button{border:0;background:none;padding:0;font-weight:600;color:inherit}
th[aria-sort=ascending] button::after{content:" \25b2"}
th[aria-sort=descending] button::after{content:" \25bc"}
tbody tr:last-child td{border-bottom:0}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.whole{white-space:nowrap}
.first{margin:0 0 1rem;padding:0;list-style:none}
.first li{padding:.25rem 0 .25rem 1.1rem;border-left:.3rem solid var(--risky)}
.lead.risky:has(+.first){margin-bottom:0;padding-bottom:.4rem}
.list{padding:.2rem .4rem;overflow-x:auto}
.list td:first-child{min-width:12rem}
.list td:last-child{min-width:10rem;overflow-wrap:break-word}
.list td.num{min-width:0}
.wide{overflow-x:auto}
details{margin:.4rem 0}
summary{cursor:pointer;overflow-wrap:anywhere}
details.box{padding:0;margin-bottom:.6rem}
.box>:first-child{margin-top:0}.box>:last-child{margin-bottom:0}
.plain{list-style:none;margin:.2rem 0 .8rem;padding:0}
details.box>summary{padding:.75rem 1.15rem}
details.box>div{padding:0 1.15rem 1rem;border-top:1px solid var(--line)}
dl{display:grid;grid-template-columns:minmax(7rem,max-content) minmax(0,1fr);gap:.25rem 1rem;
margin:.5rem 0;font-size:.92rem}
dt{color:var(--soft);overflow-wrap:anywhere;max-width:14rem}
dd{margin:0;overflow-wrap:anywhere}
footer{color:var(--soft);font-size:.85rem;padding-top:1rem;padding-bottom:3rem}
@media screen and (max-width:52rem){h1{font-size:1.5rem}.lead{font-size:1.08rem}
main,.top>div,footer{padding-left:.9rem;padding-right:.9rem}
.pair{grid-template-columns:minmax(0,1fr)}
.bars{grid-template-columns:minmax(0,1fr) auto;gap:.2rem .8rem}
.bars>:nth-child(3n+1){grid-column:1/-1;margin-top:.45rem}
.list thead{display:none}.list table,.list tbody,.list tr,.list td{display:block;width:auto}
.list tr{padding:.6rem .4rem;border-bottom:1px solid var(--line)}
.list tbody tr:last-child{border-bottom:0}
.list td,.list td:nth-child(n){min-width:0}
.list td{border:0;padding:.1rem .2rem;text-align:left;white-space:normal}
.list td:empty,.list td.none{display:none}
.list td.inline,.list td.num{display:inline-block;margin-right:.6rem}
.list td[data-label]::before{content:attr(data-label) " ";color:var(--soft);font-size:.85rem}
dl{grid-template-columns:minmax(0,1fr);gap:0}dd{margin:0 0 .4rem}}
@media print{@page{margin:14mm}body{background:#fff;font-size:10pt}.tools,.copy{display:none}
main,.top>div,footer{max-width:none;padding:0}.top{padding:0 0 .8rem}
.box{break-inside:avoid;border-color:#bbb}details.box{break-inside:auto}
details.box>summary,h2,h3,h4{break-after:avoid}tr,.insight,dd{break-inside:avoid}
thead{display:table-header-group}a{color:inherit}
svg,.pill,.chips li{-webkit-print-color-adjust:exact;print-color-adjust:exact}}
]]
