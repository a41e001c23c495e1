{% macro größe(wert, 単位='cm') %}{{ wert }} {{ 単位 }}{% endmacro %}

{% macro formatted() %}{{ "%s of %s" | format('one', 'two') }}, {{ '%05.1f|%-4s|%x' % (3.14159, 'ab', 255) }}, {{ '{:>5}|{a}'.format('x', a=1) }}{% endmacro %}

{% macro collected(first, second='two') %}{{ first }}/{{ second }}/{{ varargs | join('+') }}/{{ kwargs.items() | list }}{% endmacro %}

{% macro wrapped() %}<{{ caller('inner') }}>{% endmacro %}

{% macro early(n) %}
    {% for i in range(n) %}
        {% if i == 2 %}{{ return(['stopped at', i]) }}{% endif %}
    {% endfor %}
    never
{% endmacro %}
