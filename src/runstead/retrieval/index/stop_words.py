"""Words that say nothing about what a query looks for: articles, pronouns, prepositions, question words.

They are dropped from queries, never from documents. Only those of the query's own language are dropped, because a stop
word of one language is a noun in another: "die" is an article in German alone.
"""

from collections.abc import Sequence

__all__ = ["without_stop_words"]

_LANGUAGES = {
    "english": """
        a about after all also am an and any are as at be because been before being both but by can could did do
        does doing done down during each else ever for from further get give had has have having he her here hers
        him his how i if in into is it its just let like may me mine more most much must my no nor not of off on
        once only or other our ours out over own please s same shall she should show so some such t tell than that
        the their theirs them then there these they this those through to too under until up upon us very want was
        we were what when where which while who whom whose why will with would you your yours
    """,
    "german": """
        aber alle allem allen aller alles als also am an ander andere anderen auch auf aus bei beim bin bis bist da
        damit dann das dass dein deine dem den denn der des dessen die dies diese diesem diesen dieser dieses dir
        doch dort du durch ein eine einem einen einer eines er es etwas euch euer fur gegen gibt hab habe haben hat
        hatte hatten hier hin hinter ich ihm ihn ihnen ihr ihre ihrem ihren ihrer im in ins ist ja jede jedem jeden
        jeder jedes jene kann kein keine keinem keinen keiner konnen man manche mein meine mich mir mit muss mussen
        nach nicht nichts noch nun nur ob oder ohne sehr sein seine seinem seinen seiner sich sie sind so soll
        sollen sollte sondern uber um und uns unser unter vom von vor wann war waren warum was weil welche welchem
        welchen welcher welches wenn wer werde werden wessen wie wieder wieviel will wir wird wo wurde wurden zu zum
        zur zwischen
    """,
    "french": """
        a ai alors au aucun aussi autre aux avec avoir c ce cela ces cet cette ceux chaque comme comment d dans de
        des donc dont du elle elles en encore est et etaient etait etes etre eu fait faire font il ils j je l la le
        les leur leurs lui m ma mais me meme mes moi mon n ne nos notre nous on ont ou par parce pas peut plus pour
        pourquoi qu quand que quel quelle quelles quels qui quoi s sa sans se sera ses si son sont sous sur t ta te
        tes toi ton tous tout toute toutes tres tu un une vos votre vous y
    """,
    "spanish": """
        a al algo algunos ante antes como con cual cuales cuando cuanto de del desde donde dos e el ella ellas ellos
        en entre era eran es esa esas ese eso esos esta estaba estan estas este esto estos fue fueron ha han hasta
        hay la las le les lo los mas me mi mis muy nada ni no nos nosotros nuestra nuestro o os otra otro para pero
        poco por porque pues que quien quienes se sea ser si sin sobre son su sus tambien te tiene tienen todo todos
        tu tus un una uno unos y ya yo
    """,
    "italian": """
        a ad agli ai al alla alle allo anche c che chi ci cioe come con cosa cui da dagli dai dal dalla dalle de
        degli dei del della delle dello di dove e ed era erano essere gli ha hanno i il in io l la le lei li lo loro
        lui ma mi mia mio ne negli nei nel nella nelle nello noi non nostra nostro o ogni per perche piu qual quale
        quali quando quanto quella quelle quelli quello questa queste questi questo se sei si sia siamo sono su sua
        sue sugli sui sul sulla suo suoi ti tra tu tutti tutto un una uno vi voi
    """,
    "portuguese": """
        a ao aos as ate com como da das de dela dele delas deles depois do dos e ela elas ele eles em entre era eram
        essa essas esse esses esta estas este estes eu foi foram ha isso isto ja lhe mais mas me mesmo meu minha
        muito na nas nao nem no nos nossa nosso num numa o onde os ou para pela pelas pelo pelos por porque qual
        quais quando que quem se sem ser seu seus sua suas so tambem te tem tinha um uma voce
    """,
    "dutch": """
        aan al als bij dan dat de der deze die dit doen door dus een en er geen had heb hebben heeft het hier hij
        hoe hun iets ik in is ja je kan kunnen maar me meer men met mij mijn moet na naar niet niets nog nu of om
        omdat ons onze ook op over te tegen toch toen tot u uit uw van veel voor waar waarom wanneer want waren was
        wat we wel welke werd wie wij wil worden wordt zal ze zich zij zijn zo zou
    """,
    "russian": """
        а без был была были было быть в вам вас весь во вот все всего всех вы где да для до его ее если есть еще же
        за и из или им их к как какая какие какой когда которая которые который кто ли мне может мы на над наш не
        него нее нет ни них но о об он она они оно от по под при про с со так также там те тем то того тоже только
        том ты у уже что чтобы эта эти это этого этой этот я
    """,
}
_LISTS = [frozenset(words.split()) for words in _LANGUAGES.values()]


def without_stop_words(words: Sequence[str]) -> list[str | None]:
    """The folded words, with None for each stop word of the language that has the most of them.

    Of languages that tie, all are used. If no word were left, all stay.
    """
    counts = [sum(word in stop_words for word in words) for stop_words in _LISTS]
    most = max(counts)
    dropped = frozenset[str]().union(
        *(stop_words for stop_words, count in zip(_LISTS, counts, strict=True) if most and count == most)
    )
    kept = [None if word in dropped else word for word in words]
    return list(words) if all(word is None for word in kept) else kept
