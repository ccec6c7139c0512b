"""Words that a spreadsheet reads as something else than text, in lower case; those of ASCII letters alone."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_MONTHS = _words("""
abendua abriil abril abuztua adar adr afirilu agasti agosti agosto agostu agt agusta agustus aib apirila aprel aprile
aprilie aprill apryla ara augusta augusti augusts augustus augusztus avgust avientu avost avqust avrigl avril avust
awgusta awst awwissu azaroa balandis bealtaine berfanbar bir brf chwefror cotmeh czerwca czerwiec decembar december
decembra decembre decembrie decembris decembro dekabr desemba desember desembre desimber detsember dezember dezembro
dhjetor dicembar dicembre diciembre disamba diseembar disemba disember disyembre duben dubna ean ebrel ebrill ekaina
ekim elokuuta enero eost ephreli epreel epreli eyl faburairu fanadur faoi favrer feabhra febbraio febraayo febreiro
febrero febreru febrewaris februara februarie february februwari fevereiro fevral fewral frar gashyantare gearr geg
gener gennaio genver gibl gicurasi giugno gln gorffennaf gouere grd grudnia gruodis gulan gusht gwengolo haziran
helmikuuta hepetema here huhtikuuta hulyo hune hunyo hydref hzr ianuarie ionawr iraila iuch iulie iunie iyl iyn iyul
iyun jaanuar janaayo janairu janar janeiro jannaayo jannar jannewaris januara januarie january januwari janvier
janyuwari jen joulukuuta jugn juillet juin julai julayi julhet julho julie julija juliol july june junho junie junija
junio juny juuli juuni kamena kanama kas kerzu kolovoza korrik kovas kovo kwietnia kzu lapkritis leden ledna liepa
liepos lipanj lipca lipiec lipnja listopada listopadu lokakuuta luglio lui lulju lutego luty luulyo maaie maaliskuuta
maarso maart maayo machi mae maggio maiatza maig maijs maio maja marca march marec maret maris marraskuuta marso
martie marts martxoa marzec marzo marzu mashi mata matg matshi mawrth mayo mayu medi mee mehefin meitheamh meja meje
mejju meurzh meyi mezheven mijdar mjd mrt mrz mutarama nisan nobyembre noema nof noiembrie nollaig noofeembar novembar
november novembra novembre novembris novembro novembru noviembre novimber nowember nowembra noyabr nsn nuwamba
nyakanga nzeri ocak ochobre october octobre octombrie octubre ogosto ogs oketopa oktabr okthoba okthobha oktobar
oktober oktobra oktobris oktoobar oktoober oktubre oktyabr otsaila ottobre ottubru otubar outubro payares pebrero
prill prosinac prosinca prosince prosinec qershor rbn rgp rgs rhagfyr rugp rugs rujan rujna samhain satumba sausio
sausis sbt schaner sebteembar sebtembar sentabr sentyabr septembar september septembra septembre septembrie septembris
septhemba septiembre septimber setembar setembre setembro setiembre settember settembre settembru setyembre shkurt
shtator sibat sierpnia sij spalio spalis spl srpanj srpen srpna srpnja studeni studenoga stycznia sult svibanj svibnja
syyskuuta szeptember tachwedd tammikuuta tbx tebax temmuz tetor thg toukokuuta travanj travnja trm ugushyingo ukuboza
ukwakira urria urtarrila uztaila vasario vasaris veebruar velj werurwe wrz xaneiro xineru xnt xullo xunetu xunu yanvar
yuli yuni zen zercladur
""")
MONTHS = frozenset(name[:end] for name in _MONTHS for end in range(3, len(name) + 1)) | {"ag", "du"}
"""The months of 60 languages by the Unicode CLDR, and the beginnings of their names.

Excel takes a beginning for the name: it made dates of the genes SEPT2 and MARC1.
"""

ROMAN = _words("i ii iii iv v vi vii viii ix x xi xii")
"""Months too where a sign stands beside them: LibreOffice in Polish makes 5 May of v-5, and leaves v5 alone."""

CURRENCIES = _words("""
afl ar b br bs cf cfa chf czk d da db den din dkk dm dt e esc eur f fbu fcfa fdj fg fr ft g gbp gh gs hrk huf ils inr
jpy k km kn kr krw ksh kz l le lei lek ls lt m ma man mop mtn mxn myr naf nfk nis nok nu p php pln q r rf rk rm rmb rp
rs rub s sek sfr sh som tl try tsh um usd ush vt xaf xof ytl zar zl
""")
"""With a number beside it, each is an amount of money in some country: R10 in South Africa, Q10 in Guatemala."""

BESIDE_NUMBERS = _words("a p am pm t z utc gmt de st nd rd th")
"""What may stand with a date without making it a text."""

TRUTHS = _words("""
true false wahr falsch vrai faux verdadero falso vero waar onwaar verdadeiro sant falskt sand falsk usann prawda pravda
nepravda igaz hamis tosi adevarat fals istina neistina tiesa melas taisniba tikra benar salah verdader egia gezurra
""")

MISSING = _words("na nan nat nil none null n/a inf infinity undefined")
"""Spreadsheets leave them alone; what reads a table for a spreadsheet's user often does not."""
