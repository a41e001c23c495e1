{% test at_least(model, column_name, least) %}
select * from {{ model }} where {{ column_name }} < {{ least }}
{% endtest %}

{% test has_type(model, column_name, wanted) %}
select * from {{ model }} where cast({{ column_name }} as {{ wanted }}) is null
{% endtest %}
